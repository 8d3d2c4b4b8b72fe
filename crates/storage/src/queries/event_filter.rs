//! The conditions of a list of events, and which of them the database looks up.

use diesel::dsl::{not, sql};
use diesel::prelude::*;
use diesel::sql_types::{Bool, Text};
use trailkeeper_domain::event::{EventFilter, EventKind, LOGIN_FAIL, LOGIN_SUCCESS, Outcome};

use super::Db;
use crate::columns::{Address, DbTime, DbUuid};
use crate::schema::events;
use crate::unindexed::Unindexed;

/// By how many characters the index finds pages: see the migration.
const INDEXED_PAGE_CHARS: usize = 256;

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
    fn of(filter: &EventFilter, kinds: &[EventKind]) -> Self {
        let one_address = filter.source.is_some_and(|range| range.first == range.last);
        [
            (filter.session_id.is_some(), Self::Session),
            (filter.user_id.is_some(), Self::User),
            (one_address, Self::Address),
            (filter.page_key.is_some(), Self::Page),
            (filter.tenant_id.is_some(), Self::Tenant),
            (kinds.len() == 1, Self::Kind),
        ]
        .into_iter()
        .find_map(|(present, best)| present.then_some(best))
        .unwrap_or(Self::Time)
    }
}

/// Whether a list is made of one per type: several types, and nothing else that finds few events.
pub fn is_made_of_kinds(filter: &EventFilter) -> bool {
    matches!(Best::of(filter, &[]), Best::Tenant | Best::Time) && filter.kinds.len() > 1
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

/// The events that `filter` lets through, of these types (all, where there are none).
pub fn filtered<'a>(filter: &'a EventFilter, kinds: &'a [EventKind]) -> events::BoxedQuery<'a, Db> {
    let best = Best::of(filter, kinds);
    let mut query = events::table.into_boxed::<Db>();
    if let Some(tenant) = filter.tenant_id {
        narrow!(query, by_index: best == Best::Tenant, events::tenant_id, eq(DbUuid(tenant.0)));
    }
    if let Some(env) = filter.env_id {
        query = query.filter(events::env_id.eq(i64::from(env.0)));
    }
    if let Some(user) = &filter.user_id {
        narrow!(query, by_index: best == Best::User, events::user_id, eq(user.as_str()));
    }
    match kinds {
        [] => {}
        [kind] => narrow!(query, by_index: best == Best::Kind, events::kind, eq(kind.as_str())),
        kinds => query = query.filter(Unindexed(events::kind).eq_any(kinds.iter().map(EventKind::as_str))),
    }
    if let Some(outcome) = filter.outcome {
        query = query.filter(events::outcome.eq(outcome.as_str()));
    }
    if let Some(failed) = filter.failed {
        // A login by its type, whatever outcome it was given; everything else by its outcome: `EventKind::failed`.
        let did_fail = Unindexed(events::kind)
            .eq(LOGIN_FAIL)
            .or(Unindexed(events::kind).ne(LOGIN_SUCCESS).and(events::outcome.eq(Outcome::Failure.as_str())));
        query = if failed { query.filter(did_fail) } else { query.filter(not(did_fail)) };
    }
    if let Some(range) = filter.source {
        let (first, last) = (Address(range.first), Address(range.last));
        if first == last {
            narrow!(query, by_index: best == Best::Address, events::source, eq(first));
        } else {
            // A network may hold few addresses or all of them: its index serves where no other does.
            narrow!(query, by_index: best == Best::Time, events::source, between(first, last));
        }
    }
    if let Some(key) = &filter.page_key {
        let prefix: String = key.chars().take(INDEXED_PAGE_CHARS).collect();
        if best == Best::Page {
            query = query
                .filter(sql::<Bool>("substr(page_key, 1, 256) = ").bind::<Text, _>(prefix))
                .filter(events::page_key.is_not_null());
        }
        // A shorter key is its own beginning. Saying so twice would make PostgreSQL expect far fewer rows than there
        // are, and sort them all instead of walking the index.
        if best != Best::Page || key.chars().count() >= INDEXED_PAGE_CHARS {
            query = query.filter(events::page_key.eq(key.as_str()));
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
