//! The conditions of a list of events, and the one that the database looks up by an index.

use std::borrow::Cow;

use diesel::dsl::not;
use diesel::prelude::*;
use trailkeeper_domain::Result;
use trailkeeper_domain::event::{EventFilter, LOGIN_FAIL, LOGIN_SUCCESS, Outcome, READS};
use trailkeeper_domain::id::TenantId;

use super::event_names::OTHER;
use super::names::Dictionary;
use super::{Db, Tx};
use crate::columns::{Address, DbTenant, DbTime};
use crate::rows::outcome_code;
use crate::schema::{dict_sources, events};
use crate::unindexed::Unindexed;

/// A filter whose names are replaced by their numbers.
#[derive(Debug, Clone)]
pub struct ResolvedFilter<'a> {
    filter: &'a EventFilter,
    tenant: Option<DbTenant>,
    /// The tenant whose events are left out.
    without_tenant: Option<DbTenant>,
    /// The system tenant and the types of its events that are left out.
    without_reads: Option<(DbTenant, Vec<i32>)>,
    user: Option<i32>,
    /// Numbers of the types. Empty means all.
    pub kinds: Vec<i32>,
    source: Option<Source>,
    page: Option<PageMatch<'a>>,
    login_success: i32,
    login_fail: i32,
}

#[derive(Debug, Clone, Copy)]
enum Source {
    One(i32),
    Network(Address, Address),
}

/// The events of a page.
#[derive(Debug, Clone)]
pub enum PageMatch<'a> {
    /// Events that have the number of the page.
    Counted(i32),
    /// Events that count as `(other)` and have the key of the page.
    Other(Cow<'a, str>),
    /// Both. A query of both cannot read them in the order of the index, which has each kind in another place.
    Either(i32, Cow<'a, str>),
}

/// The index that a query of events uses: that of the condition that matches the fewest events. Each index returns events
/// in the order of lists. The variants are ordered by the number of events that their conditions may match, fewest
/// first.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum LeadingIndex {
    Session,
    User,
    Address,
    Page,
    Tenant,
    Kind,
    Time,
}

impl LeadingIndex {
    fn of(filter: &ResolvedFilter<'_>, kinds: &[i32]) -> Self {
        [
            (filter.filter.session_id.is_some(), Self::Session),
            (filter.user.is_some(), Self::User),
            (matches!(filter.source, Some(Source::One(_))), Self::Address),
            (filter.page.is_some(), Self::Page),
            (filter.tenant.is_some(), Self::Tenant),
            (kinds.len() == 1, Self::Kind),
        ]
        .into_iter()
        .find_map(|(present, lead)| present.then_some(lead))
        .unwrap_or(Self::Time)
    }
}

impl ResolvedFilter<'_> {
    /// Whether to merge one list per type: the filter has several types and no other condition that matches few events.
    pub fn is_made_of_kinds(&self) -> bool {
        matches!(LeadingIndex::of(self, &[]), LeadingIndex::Tenant | LeadingIndex::Time) && self.kinds.len() > 1
    }

    /// The two filters whose lists are merged into the list of a page; `None` if the query uses another index.
    pub fn parts_by_page(&self) -> Option<[Self; 2]> {
        match &self.page {
            Some(PageMatch::Either(page, key)) if LeadingIndex::of(self, &[]) == LeadingIndex::Page => Some(
                [PageMatch::Counted(*page), PageMatch::Other(key.clone())]
                    .map(|page| Self { page: Some(page), ..self.clone() }),
            ),
            _ => None,
        }
    }
}

impl Tx<'_> {
    /// Looks up the names of the filter; `None` if one of them is in no dictionary. Then no event can match.
    pub(super) fn resolve<'a>(&mut self, filter: &'a EventFilter) -> Result<Option<ResolvedFilter<'a>>> {
        let mut tenant = None;
        if let Some(wanted) = filter.visibility.tenant() {
            if !filter.visibility.sees(wanted) {
                return Ok(None);
            }
            let Some(key) = self.tenant_key(wanted)? else { return Ok(None) };
            tenant = Some(key);
        }
        let without_system = tenant.is_none() && !filter.visibility.sees(TenantId::SYSTEM);
        let without_tenant = if without_system { Some(self.tenant_key_assigned(TenantId::SYSTEM)?) } else { None };
        let mut without_reads = None;
        if filter.without_reads {
            let mut reads = Vec::new();
            for kind in READS {
                reads.extend(self.number_of(Dictionary::Kinds, kind)?);
            }
            without_reads =
                Some((self.tenant_key_assigned(TenantId::SYSTEM)?, reads)).filter(|(_, reads)| !reads.is_empty());
        }
        let mut user = None;
        if let Some(wanted) = &filter.user_id {
            let Some(number) = self.user_ref(wanted)? else { return Ok(None) };
            user = Some(number);
        }
        let mut kinds = Vec::new();
        for kind in &filter.kinds {
            kinds.extend(self.number_of(Dictionary::Kinds, kind.as_str())?);
        }
        kinds.sort_unstable();
        kinds.dedup();
        if kinds.is_empty() && !filter.kinds.is_empty() {
            return Ok(None);
        }
        let mut source = None;
        if let Some(range) = filter.source {
            source = Some(Source::Network(Address(range.first), Address(range.last)));
            if range.first == range.last {
                let Some(number) = self.number_of(Dictionary::Sources, &range.first.to_string())? else {
                    return Ok(None);
                };
                source = Some(Source::One(number));
            }
        }
        let mut page = None;
        if let Some(sent) = &filter.page {
            let key = self.complete_page_rule()?.key(sent);
            page = Some(match self.number_of(Dictionary::Pages, &key)? {
                Some(number) if number != OTHER => PageMatch::Either(number, key),
                _ => PageMatch::Other(key),
            });
        }
        let kind = |tx: &mut Self, name: &str| tx.number_of(Dictionary::Kinds, name).map(Option::unwrap_or_default);
        let (login_success, login_fail) = (kind(self, LOGIN_SUCCESS)?, kind(self, LOGIN_FAIL)?);
        Ok(Some(ResolvedFilter {
            filter,
            tenant,
            without_tenant,
            without_reads,
            user,
            kinds,
            source,
            page,
            login_success,
            login_fail,
        }))
    }
}

/// Adds a condition on a column to `$query`. SQLite uses the index of the column only if `$by_index` is true.
macro_rules! narrow {
    ($query:ident, by_index: $by_index:expr, $column:expr, $condition:ident($($value:expr),*)) => {
        $query = if $by_index {
            $query.filter($column.$condition($($value),*))
        } else {
            $query.filter(Unindexed($column).$condition($($value),*))
        }
    };
}

/// The events that match `resolved` and have one of these types; no types means all.
pub fn filtered<'a>(resolved: &'a ResolvedFilter<'a>, kinds: &'a [i32]) -> events::BoxedQuery<'a, Db> {
    let lead = LeadingIndex::of(resolved, kinds);
    let filter = resolved.filter;
    let mut query = events::table.into_boxed::<Db>();
    if let Some(tenant) = resolved.tenant {
        narrow!(query, by_index: lead == LeadingIndex::Tenant, events::tenant_id, eq(tenant));
    }
    if let Some(system) = resolved.without_tenant {
        query = query.filter(Unindexed(events::tenant_id).ne(system));
    }
    if let Some((system, reads)) = &resolved.without_reads {
        let read = Unindexed(events::tenant_id).eq(*system).and(Unindexed(events::kind_ref).eq_any(reads));
        query = query.filter(not(read));
    }
    if let Some(env) = filter.env_id {
        query = query.filter(events::env_id.eq(i64::from(env.0)));
    }
    if let Some(user) = resolved.user {
        narrow!(query, by_index: lead == LeadingIndex::User, events::user_ref, eq(user));
    }
    match kinds {
        [] => {}
        [kind] => narrow!(query, by_index: lead == LeadingIndex::Kind, events::kind_ref, eq(*kind)),
        kinds => query = query.filter(Unindexed(events::kind_ref).eq_any(kinds)),
    }
    if let Some(outcome) = filter.outcome {
        query = query.filter(events::outcome.eq(outcome_code(outcome)));
    }
    if let Some(failed) = filter.failed {
        // A login fails or succeeds by its type, any other event by its outcome: see `EventKind::failed`.
        let did_fail = Unindexed(events::kind_ref).eq(resolved.login_fail).or(Unindexed(events::kind_ref)
            .ne(resolved.login_success)
            .and(events::outcome.eq(outcome_code(Outcome::Failure))));
        query = if failed { query.filter(did_fail) } else { query.filter(not(did_fail)) };
    }
    match resolved.source {
        None => {}
        Some(Source::One(source)) => {
            narrow!(query, by_index: lead == LeadingIndex::Address, events::source_ref, eq(source));
        }
        Some(Source::Network(first, last)) => {
            let inside = dict_sources::table
                .filter(dict_sources::address.between(first, last))
                .select(dict_sources::id.nullable());
            // A network may contain few addresses or all of them, so its index is used only if the filter has no other
            // condition with an index and no time range.
            let by_index = lead == LeadingIndex::Time && filter.from.is_none() && filter.until.is_none();
            narrow!(query, by_index: by_index, events::source_ref, eq_any(inside));
        }
    }
    match &resolved.page {
        None => {}
        Some(PageMatch::Counted(page)) => {
            narrow!(query, by_index: lead == LeadingIndex::Page, events::page_ref, eq(*page));
        }
        Some(PageMatch::Other(key)) => {
            narrow!(query, by_index: lead == LeadingIndex::Page, events::page_ref, eq(OTHER));
            query = query.filter(events::page_key.eq(key.as_ref()));
        }
        Some(PageMatch::Either(page, key)) => {
            let among_others = Unindexed(events::page_ref).eq(OTHER).and(events::page_key.eq(key.as_ref()));
            query = query.filter(Unindexed(events::page_ref).eq(*page).or(among_others));
        }
    }
    if let Some(session) = &filter.session_id {
        narrow!(query, by_index: lead == LeadingIndex::Session, events::session_id, eq(session.as_str()));
    }
    // No index has targets: the tenant, user, source or range does, by `EventFilter::bounded`.
    if let Some(target_type) = &filter.target_type {
        query = query.filter(events::target_type.eq(target_type.as_str()));
    }
    if let Some(target_id) = &filter.target_id {
        query = query.filter(events::target_id.eq(target_id.as_str()));
    }
    if let Some(from) = filter.from {
        query = query.filter(events::occurred_at.ge(DbTime(from)));
    }
    if let Some(until) = filter.until {
        query = query.filter(events::occurred_at.lt(DbTime(until)));
    }
    query
}
