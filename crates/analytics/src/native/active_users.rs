//! How many distinct users were active, how many of them for the first time, and how often users come back.

use trailkeeper_domain::Result;
use trailkeeper_domain::id::TenantId;
use trailkeeper_domain::ports::ReadTx;
use trailkeeper_domain::time::{TimeRange, Timestamp};

use super::buckets::{Granularity, Span};
use super::tally::Folding;
use super::{Audience, Compared, Series, SeriesSpec};
use crate::Source;
use crate::sheet::{Facet, IdBits};

/// How many local days the monthly users of the stickiness are of.
const MONTH_DAYS: u64 = 30;

/// Distinct users with at least one event that did not fail.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct ActiveUsers {
    /// All of them.
    pub active: u64,
    /// Those who were never active before, in the same scope, over all time.
    pub new: u64,
    /// The others.
    pub returning: u64,
}

/// How often users come back.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Stickiness {
    /// Active users of each local day that the range touches, added up: a user counts on each of their days.
    pub daily_users: u64,
    /// How many local days the range touches.
    pub days: u64,
    /// Distinct active users of the 30 local days that the range ends with, up to its end.
    pub monthly_users: u64,
}

/// The active users of a whole range.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct ActiveUsersTotals {
    /// Distinct over the whole range.
    pub users: ActiveUsers,
    /// How often they come back.
    pub stickiness: Stickiness,
}

/// The answer for one period.
pub type ActiveUsersSeries = Series<ActiveUsersTotals, ActiveUsers>;

/// Active users per bucket and over the whole range, in one snapshot.
pub fn active_users(
    source: Source<'_>,
    audience: Audience,
    spec: SeriesSpec,
    tenant_scoped: Option<TenantId>,
) -> Result<Compared<ActiveUsersSeries>> {
    let scope_filter = audience.folding(source, tenant_scoped)?;
    let first = spec.previous().unwrap_or(spec.span).range.start;
    source.store.reading(|tx| {
        let mut seen = active_before(tx, scope_filter, first)?;
        spec.compared(|span| series(tx, scope_filter, span, spec.granularity, &mut seen))
    })
}

/// Everyone who was active before an instant.
fn active_before(tx: &mut dyn ReadTx, scope_filter: Folding<'_>, end: Timestamp) -> Result<IdBits> {
    match tx.span()? {
        Some((start, _)) if start < end => scope_filter.active(tx, TimeRange { start, end }),
        _ => Ok(IdBits::default()),
    }
}

/// `seen` are those who were active before the span; afterwards those of the span are among them.
fn series(
    tx: &mut dyn ReadTx,
    scope_filter: Folding<'_>,
    span: Span,
    granularity: Granularity,
    seen: &mut IdBits,
) -> Result<ActiveUsersSeries> {
    let ranges = span.buckets(granularity)?;
    let mut buckets = Vec::with_capacity(ranges.len());
    let mut all = IdBits::default();
    let mut new = 0;
    scope_filter.each(tx, &ranges, &[Facet::ActiveAll], |_, range, fold| {
        let mut users = ActiveUsers::default();
        if let Some(ids) = fold.ids(scope_filter.active_key()) {
            users.active = fold.cell(scope_filter.active_key()).distinct;
            users.returning = ids.intersection_len(seen) as u64;
            users.new = users.active - users.returning;
            all.unite(ids);
            seen.unite(ids);
        }
        new += users.new;
        buckets.push((range, users));
        Ok(())
    })?;
    // Whoever is new in a bucket is so in no other one, so the sum is that of the range.
    let active = all.len() as u64;
    let daily = if granularity == Granularity::Day {
        Daily { users: buckets.iter().map(|(_, users)| users.active).sum(), days: buckets.len() as u64 }
    } else {
        daily(tx, scope_filter, span)?
    };
    let stickiness = Stickiness {
        daily_users: daily.users,
        days: daily.days,
        monthly_users: scope_filter.active(tx, span.last_days(MONTH_DAYS))?.len() as u64,
    };
    let users = ActiveUsers { active, new, returning: active - new };
    Ok(Series { span, totals: ActiveUsersTotals { users, stickiness }, buckets })
}

struct Daily {
    users: u64,
    days: u64,
}

fn daily(tx: &mut dyn ReadTx, scope_filter: Folding<'_>, span: Span) -> Result<Daily> {
    let days = span.buckets(Granularity::Day)?;
    let mut users = 0;
    scope_filter.each(tx, &days, &[Facet::ActiveAll], |_, _, fold| {
        users += fold.cell(scope_filter.active_key()).distinct;
        Ok(())
    })?;
    Ok(Daily { users, days: days.len() as u64 })
}
