//! The right answers, counted from the events that a test has stored.

use std::collections::{BTreeMap, HashSet};

use trailkeeper_analytics::sheet::Facet;
use trailkeeper_domain::event::{Event, LOGIN_FAIL, LOGIN_SUCCESS, USERINFO};
use trailkeeper_domain::id::{EnvId, TenantId};
use trailkeeper_domain::page::PageRule;
use trailkeeper_domain::scope::Scope;
use trailkeeper_domain::time::TimeRange;

/// The number of events, and of distinct users or sources, by the name of the page, type or environment.
pub(crate) type Counts = BTreeMap<String, (u64, u64)>;

/// The events of a scope, environment and range; never those of the system tenant.
pub(crate) fn inside(
    events: &[Event],
    scope: Scope,
    env: Option<EnvId>,
    range: TimeRange,
) -> impl Iterator<Item = &Event> {
    events.iter().filter(move |event| {
        event.tenant_id != TenantId::SYSTEM
            && (scope == Scope::Everyone || scope == Scope::Tenant(event.tenant_id))
            && env.is_none_or(|env| event.env_id == env)
            && range.start <= event.occurred_at
            && event.occurred_at < range.end
    })
}

/// The cells of one facet.
pub(crate) fn count<'a>(events: impl Iterator<Item = &'a Event>, scope: Scope, facet: Facet) -> Counts {
    let mut cells: BTreeMap<String, (u64, HashSet<String>)> = BTreeMap::new();
    for event in events {
        let active = event.user_id.is_some() && !event.kind.failed(event.outcome);
        let is = |kind: &str| event.kind.as_str() == kind;
        let page = event.page.as_ref();
        let single = |counts: bool| counts.then(String::new);
        let name = match facet {
            Facet::Views => page.map(|page| page.key(&PageRule::default())),
            Facet::AllViews => single(page.is_some()),
            Facet::Active => (active && scope != Scope::Everyone).then(|| event.env_id.to_string()),
            Facet::ActiveAll => single(active),
            Facet::Kind => Some(event.kind.to_string()),
            Facet::Userinfo => single(is(USERINFO)),
            Facet::Logins | Facet::LoginSources => single(is(LOGIN_SUCCESS)),
            Facet::FailedLogins | Facet::FailedLoginSources => single(is(LOGIN_FAIL)),
        };
        let Some(name) = name else { continue };
        let (count, distinct) = cells.entry(name).or_default();
        *count += 1;
        distinct.extend(match facet {
            Facet::LoginSources | Facet::FailedLoginSources => event.source.map(|source| source.to_string()),
            _ => event.user_id.as_ref().map(ToString::to_string),
        });
    }
    cells.into_iter().map(|(name, (count, distinct))| (name, (count, distinct.len() as u64))).collect()
}
