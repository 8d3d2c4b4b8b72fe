//! The conditions of a list of events, and which of them the database looks up.

use diesel::dsl::not;
use diesel::prelude::*;
use trailkeeper_domain::Result;
use trailkeeper_domain::event::{EventFilter, LOGIN_FAIL, LOGIN_SUCCESS, Outcome, READS};
use trailkeeper_domain::id::TenantId;

use super::event_names::OTHER;
use super::names::Space;
use super::{Db, Tx};
use crate::columns::{Address, DbTenant, DbTime};
use crate::rows::outcome_code;
use crate::schema::{dict_sources, events};
use crate::unindexed::Unindexed;

/// A filter whose names are numbers.
#[derive(Debug, Clone)]
pub struct Numbered<'a> {
    filter: &'a EventFilter,
    tenant: Option<DbTenant>,
    /// Whose events are left out.
    not_of: Option<DbTenant>,
    /// Whose events of which types are left out.
    not_reads: Option<(DbTenant, Vec<i32>)>,
    user: Option<i32>,
    /// Empty: all.
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

/// Which events are on a page.
#[derive(Debug, Clone, Copy)]
pub enum PageMatch<'a> {
    /// Those that have its number.
    Counted(i32),
    /// Those that count as `(other)` and have its key.
    Other(&'a str),
    /// Both. Not for walks in the order of an index: it has each of them apart.
    Either(i32, &'a str),
}

/// The condition that finds the fewest events; its index gives them in the order of lists. In ascending order of how
/// many events it may find.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Best {
    Session,
    User,
    Address,
    Page,
    Tenant,
    Kind,
    Time,
}

impl Best {
    fn of(filter: &Numbered<'_>, kinds: &[i32]) -> Self {
        [
            (filter.filter.session_id.is_some(), Self::Session),
            (filter.user.is_some(), Self::User),
            (matches!(filter.source, Some(Source::One(_))), Self::Address),
            (filter.page.is_some(), Self::Page),
            (filter.tenant.is_some(), Self::Tenant),
            (kinds.len() == 1, Self::Kind),
        ]
        .into_iter()
        .find_map(|(present, best)| present.then_some(best))
        .unwrap_or(Self::Time)
    }
}

impl Numbered<'_> {
    /// Whether a list is made of one per type: several types, and nothing else that finds few events.
    pub fn is_made_of_kinds(&self) -> bool {
        matches!(Best::of(self, &[]), Best::Tenant | Best::Time) && self.kinds.len() > 1
    }

    /// The parts of a list that is made of one per way of being on a page; `None` where another condition leads.
    pub fn parts_by_page(&self) -> Option<[Self; 2]> {
        match self.page {
            Some(PageMatch::Either(page, key)) if Best::of(self, &[]) == Best::Page => Some(
                [PageMatch::Counted(page), PageMatch::Other(key)].map(|page| Self { page: Some(page), ..self.clone() }),
            ),
            _ => None,
        }
    }
}

impl Tx<'_> {
    /// Looks the filter's names up; `None` where one of them is in no dictionary, so that no event can match.
    pub(super) fn numbered<'a>(&mut self, filter: &'a EventFilter) -> Result<Option<Numbered<'a>>> {
        let mut tenant = None;
        if let Some(wanted) = filter.visibility.tenant() {
            if !filter.visibility.sees(wanted) {
                return Ok(None);
            }
            let Some(key) = self.tenant_key(wanted)? else { return Ok(None) };
            tenant = Some(key);
        }
        let without_system = tenant.is_none() && !filter.visibility.sees(TenantId::SYSTEM);
        let not_of = if without_system { Some(self.tenant_key_assigned(TenantId::SYSTEM)?) } else { None };
        let mut not_reads = None;
        if filter.without_reads {
            let mut reads = Vec::new();
            for kind in READS {
                reads.extend(self.number_of(Space::Kinds, kind)?);
            }
            not_reads =
                Some((self.tenant_key_assigned(TenantId::SYSTEM)?, reads)).filter(|(_, reads)| !reads.is_empty());
        }
        let mut user = None;
        if let Some(wanted) = &filter.user_id {
            let Some(number) = self.user_ref(wanted)? else { return Ok(None) };
            user = Some(number);
        }
        let mut kinds = Vec::new();
        for kind in &filter.kinds {
            kinds.extend(self.number_of(Space::Kinds, kind.as_str())?);
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
                let Some(number) = self.number_of(Space::Sources, &range.first.to_string())? else { return Ok(None) };
                source = Some(Source::One(number));
            }
        }
        let mut page = None;
        if let Some(key) = &filter.page_key {
            page = Some(match self.number_of(Space::Pages, key)? {
                Some(number) if number != OTHER => PageMatch::Either(number, key),
                _ => PageMatch::Other(key),
            });
        }
        let kind = |tx: &mut Self, name: &str| tx.number_of(Space::Kinds, name).map(Option::unwrap_or_default);
        let (login_success, login_fail) = (kind(self, LOGIN_SUCCESS)?, kind(self, LOGIN_FAIL)?);
        Ok(Some(Numbered { filter, tenant, not_of, not_reads, user, kinds, source, page, login_success, login_fail }))
    }
}

/// Adds a condition on a column, which SQLite looks up by its index or not at all.
macro_rules! narrow {
    ($query:ident, by_index: $by_index:expr, $column:expr, $condition:ident($($value:expr),*)) => {
        $query = if $by_index {
            $query.filter($column.$condition($($value),*))
        } else {
            $query.filter(Unindexed($column).$condition($($value),*))
        }
    };
}

/// The events that `numbered` lets through, of these types (all, where there are none).
pub fn filtered<'a>(numbered: &'a Numbered<'a>, kinds: &'a [i32]) -> events::BoxedQuery<'a, Db> {
    let best = Best::of(numbered, kinds);
    let filter = numbered.filter;
    let mut query = events::table.into_boxed::<Db>();
    if let Some(tenant) = numbered.tenant {
        narrow!(query, by_index: best == Best::Tenant, events::tenant_id, eq(tenant));
    }
    if let Some(system) = numbered.not_of {
        query = query.filter(Unindexed(events::tenant_id).ne(system));
    }
    if let Some((system, reads)) = &numbered.not_reads {
        let read = Unindexed(events::tenant_id).eq(*system).and(Unindexed(events::kind_ref).eq_any(reads));
        query = query.filter(not(read));
    }
    if let Some(env) = filter.env_id {
        query = query.filter(events::env_id.eq(i64::from(env.0)));
    }
    if let Some(user) = numbered.user {
        narrow!(query, by_index: best == Best::User, events::user_ref, eq(user));
    }
    match kinds {
        [] => {}
        [kind] => narrow!(query, by_index: best == Best::Kind, events::kind_ref, eq(*kind)),
        kinds => query = query.filter(Unindexed(events::kind_ref).eq_any(kinds)),
    }
    if let Some(outcome) = filter.outcome {
        query = query.filter(events::outcome.eq(outcome_code(outcome)));
    }
    if let Some(failed) = filter.failed {
        // A login by its type, whatever outcome it was given; everything else by its outcome: `EventKind::failed`.
        let did_fail = Unindexed(events::kind_ref).eq(numbered.login_fail).or(Unindexed(events::kind_ref)
            .ne(numbered.login_success)
            .and(events::outcome.eq(outcome_code(Outcome::Failure))));
        query = if failed { query.filter(did_fail) } else { query.filter(not(did_fail)) };
    }
    match numbered.source {
        None => {}
        Some(Source::One(source)) => {
            narrow!(query, by_index: best == Best::Address, events::source_ref, eq(source));
        }
        Some(Source::Network(first, last)) => {
            let inside = dict_sources::table
                .filter(dict_sources::address.between(first, last))
                .select(dict_sources::id.nullable());
            // A network may hold few addresses or all of them: its index serves where no other does, and no range.
            let alone = best == Best::Time && filter.from.is_none() && filter.until.is_none();
            narrow!(query, by_index: alone, events::source_ref, eq_any(inside));
        }
    }
    match numbered.page {
        None => {}
        Some(PageMatch::Counted(page)) => {
            narrow!(query, by_index: best == Best::Page, events::page_ref, eq(page));
        }
        Some(PageMatch::Other(key)) => {
            narrow!(query, by_index: best == Best::Page, events::page_ref, eq(OTHER));
            query = query.filter(events::page_key.eq(key));
        }
        Some(PageMatch::Either(page, key)) => {
            let among_others = Unindexed(events::page_ref).eq(OTHER).and(events::page_key.eq(key));
            query = query.filter(Unindexed(events::page_ref).eq(page).or(among_others));
        }
    }
    if let Some(session) = &filter.session_id {
        narrow!(query, by_index: best == Best::Session, events::session_id, eq(session.as_str()));
    }
    if let Some(from) = filter.from {
        query = query.filter(events::occurred_at.ge(DbTime(from)));
    }
    if let Some(until) = filter.until {
        query = query.filter(events::occurred_at.lt(DbTime(until)));
    }
    query
}
