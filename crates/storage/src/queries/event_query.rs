//! The statements that find the events of a filter.

use diesel::dsl::{not, sql};
use diesel::prelude::*;
use diesel::sql_types::Bool;
use trailkeeper_domain::event::{Outcome, Values};

use super::event_filter::{Dimension, Part, ResolvedFilter, Source};
use super::event_names::OTHER;
use super::{Db, dialect};
use crate::columns::DbTime;
use crate::rows::outcome_code;
use crate::schema::{dict_sources, events};
use crate::unindexed::Unindexed;

type Query<'a> = events::BoxedQuery<'a, Db>;

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

/// Adds the condition that a column has none of these values. A null has none.
macro_rules! exclude {
    ($query:ident, $column:expr, $values:expr) => {
        if !$values.is_empty() {
            let column = Unindexed($column);
            $query = $query.filter(column.is_null().or(not(column.eq_any($values))));
        }
    };
}

/// The events that match `resolved` and belong to `part`.
pub fn filtered<'a>(resolved: &'a ResolvedFilter<'a>, part: Part<'a>) -> Query<'a> {
    let dimension = resolved.dimension();
    let query = by_tenant(dialect::events(&resolved.buckets), resolved, dimension);
    let query = by_session(query, resolved, part, dimension);
    let query = by_user(query, resolved, part, dimension);
    let query = by_source(query, resolved, part, dimension);
    let query = by_page(query, resolved, part, dimension);
    let query = by_kind(query, resolved, part, dimension);
    let query = by_outcome(query, resolved);
    let mut query = by_target(query, resolved);
    if !resolved.filter.env_id.any_of.is_empty() {
        query = query.filter(events::env_id.eq_any(codes(&resolved.filter.env_id.any_of, |env| i64::from(env.0))));
    }
    if !resolved.filter.env_id.none_of.is_empty() {
        let excluded = codes(&resolved.filter.env_id.none_of, |env| i64::from(env.0));
        query = query.filter(not(events::env_id.eq_any(excluded)));
    }
    if let Some(from) = resolved.from {
        query = query.filter(events::occurred_at.ge(DbTime(from)));
    }
    if let Some(until) = resolved.until {
        query = query.filter(events::occurred_at.lt(DbTime(until)));
    }
    query
}

fn by_tenant<'a>(mut query: Query<'a>, resolved: &'a ResolvedFilter<'a>, dimension: Dimension) -> Query<'a> {
    if let Some(tenant) = resolved.tenant {
        narrow!(query, by_index: dimension == Dimension::Tenant, events::tenant_id, eq(tenant));
    }
    if resolved.sees_nothing {
        query = query.filter(sql::<Bool>("1 = 0"));
    }
    if let Some(system) = resolved.without_tenant {
        query = query.filter(Unindexed(events::tenant_id).ne(system));
    }
    if let Some((system, reads)) = &resolved.without_reads {
        let read = Unindexed(events::tenant_id).eq(*system).and(Unindexed(events::kind_ref).eq_any(reads));
        query = query.filter(not(read));
    }
    query
}

fn by_session<'a>(
    mut query: Query<'a>,
    resolved: &'a ResolvedFilter<'a>,
    part: Part<'a>,
    dimension: Dimension,
) -> Query<'a> {
    let Values { any_of, none_of } = &resolved.filter.session_id;
    if let Part::Session(session) = part {
        query = query.filter(events::session_id.eq(session));
    } else if !any_of.is_empty() {
        narrow!(query, by_index: dimension == Dimension::Session, events::session_id, eq_any(any_of));
    }
    exclude!(query, events::session_id, none_of);
    query
}

fn by_user<'a>(
    mut query: Query<'a>,
    resolved: &'a ResolvedFilter<'a>,
    part: Part<'a>,
    dimension: Dimension,
) -> Query<'a> {
    let Values { any_of, none_of } = &resolved.users;
    if let Part::User(user) = part {
        query = query.filter(events::user_ref.eq(user));
    } else if !any_of.is_empty() {
        narrow!(query, by_index: dimension == Dimension::User, events::user_ref, eq_any(any_of));
    }
    exclude!(query, events::user_ref, none_of);
    query
}

fn by_source<'a>(
    mut query: Query<'a>,
    resolved: &'a ResolvedFilter<'a>,
    part: Part<'a>,
    dimension: Dimension,
) -> Query<'a> {
    let Values { any_of, none_of } = &resolved.sources;
    if let Part::Address(source) = part {
        query = query.filter(events::source_ref.eq(source));
    } else if dimension == Dimension::Address {
        query = query.filter(events::source_ref.eq_any(addresses(any_of)));
    } else if !any_of.is_empty() {
        // A network may contain few addresses or all of them, so its index is used only if the filter has no other
        // condition with an index and no time range.
        let by_index = dimension == Dimension::Time && resolved.from.is_none() && resolved.until.is_none();
        narrow!(query, by_index: by_index, events::source_ref, eq_any(inside(any_of)));
    }
    if !none_of.is_empty() {
        let source = Unindexed(events::source_ref);
        query = query.filter(source.is_null().or(not(source.eq_any(inside(none_of)))));
    }
    query
}

fn addresses(sources: &[Source]) -> Vec<i32> {
    let number = |source: &Source| match source {
        Source::One(number) => Some(*number),
        Source::Network(..) => None,
    };
    sources.iter().filter_map(number).collect()
}

/// The numbers of the addresses inside any of these sources.
fn inside<'a>(
    sources: &[Source],
) -> dict_sources::BoxedQuery<'a, Db, diesel::sql_types::Nullable<diesel::sql_types::Integer>> {
    let mut inside = dict_sources::table.select(dict_sources::id.nullable()).into_boxed::<Db>();
    let numbers = addresses(sources);
    if !numbers.is_empty() {
        inside = inside.or_filter(dict_sources::id.eq_any(numbers));
    }
    for source in sources {
        if let Source::Network(first, last) = source {
            inside = inside.or_filter(dict_sources::address.between(*first, *last));
        }
    }
    inside
}

fn by_page<'a>(
    mut query: Query<'a>,
    resolved: &'a ResolvedFilter<'a>,
    part: Part<'a>,
    dimension: Dimension,
) -> Query<'a> {
    let (numbers, keys) = (&resolved.pages, &resolved.page_keys);
    if let Part::Page(page) = part {
        query = query.filter(events::page_ref.eq(page));
    } else if part == Part::OtherPages {
        query = query.filter(events::page_ref.eq(OTHER)).filter(events::page_key.eq_any(&keys.any_of));
    } else if dimension == Dimension::Page {
        let among_others = events::page_ref.eq(OTHER).and(events::page_key.eq_any(&keys.any_of));
        query = query.filter(events::page_ref.eq_any(&numbers.any_of).or(among_others));
    } else if !numbers.any_of.is_empty() {
        let among_others = Unindexed(events::page_ref).eq(OTHER).and(events::page_key.eq_any(&keys.any_of));
        query = query.filter(Unindexed(events::page_ref).eq_any(&numbers.any_of).or(among_others));
    }
    if !numbers.none_of.is_empty() {
        let page = Unindexed(events::page_ref);
        let among_others =
            page.eq(OTHER).and(events::page_key.is_not_null()).and(events::page_key.eq_any(&keys.none_of));
        query = query.filter(page.is_null().or(not(page.eq_any(&numbers.none_of).or(among_others))));
    }
    query
}

fn by_kind<'a>(
    mut query: Query<'a>,
    resolved: &'a ResolvedFilter<'a>,
    part: Part<'a>,
    dimension: Dimension,
) -> Query<'a> {
    let Values { any_of, none_of } = &resolved.kinds;
    if let Part::Kind(kind) = part {
        query = query.filter(events::kind_ref.eq(kind));
    } else if !any_of.is_empty() {
        narrow!(query, by_index: dimension == Dimension::Kind, events::kind_ref, eq_any(any_of));
    }
    if !none_of.is_empty() {
        query = query.filter(not(Unindexed(events::kind_ref).eq_any(none_of)));
    }
    query
}

fn by_outcome<'a>(mut query: Query<'a>, resolved: &'a ResolvedFilter<'a>) -> Query<'a> {
    let Values { any_of, none_of } = &resolved.filter.outcome;
    if !any_of.is_empty() {
        query = query.filter(events::outcome.eq_any(codes(any_of, |outcome| outcome_code(*outcome))));
    }
    if !none_of.is_empty() {
        query = query.filter(not(events::outcome.eq_any(codes(none_of, |outcome| outcome_code(*outcome)))));
    }
    if let Some(failed) = resolved.filter.failed {
        // A login fails or succeeds by its type, any other event by its outcome: see `EventKind::failed`.
        let did_fail = Unindexed(events::kind_ref).eq(resolved.login_fail).or(Unindexed(events::kind_ref)
            .ne(resolved.login_success)
            .and(events::outcome.eq(outcome_code(Outcome::Failure))));
        query = if failed { query.filter(did_fail) } else { query.filter(not(did_fail)) };
    }
    query
}

/// No index has targets: the tenant, user, source or range does, by `EventFilter::bounded`.
fn by_target<'a>(mut query: Query<'a>, resolved: &'a ResolvedFilter<'a>) -> Query<'a> {
    let (kinds, ids) = (&resolved.filter.target_type, &resolved.filter.target_id);
    if !kinds.any_of.is_empty() {
        query = query.filter(events::target_type.eq_any(&kinds.any_of));
    }
    if !ids.any_of.is_empty() {
        query = query.filter(events::target_id.eq_any(&ids.any_of));
    }
    exclude!(query, events::target_type, &kinds.none_of);
    exclude!(query, events::target_id, &ids.none_of);
    query
}

fn codes<T, C>(values: &[T], code: impl Fn(&T) -> C) -> Vec<C> {
    values.iter().map(code).collect()
}
