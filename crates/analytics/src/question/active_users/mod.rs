//! Distinct active users, new and returning ones, and how often users come back.

pub mod tenants;

use trailkeeper_domain::Result;
use trailkeeper_domain::ports::{ReadTx, Store};
use trailkeeper_domain::time::{TimeRange, Timestamp};

use super::{Compared, Series, SeriesSpec};
use crate::engine::read;
use crate::sheet::{Facet, Fold, IdBits, Numbers};
use crate::{Audience, Granularity, Span};

/// The number of local days in which monthly users are counted for the stickiness.
const MONTH_DAYS: u64 = 30;

/// Distinct users with at least one event that did not fail.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct ActiveUsers {
    /// All active users.
    pub active: u64,
    /// Those who were never active before for the same audience, over all time.
    pub new: u64,
    /// Those who were active before.
    pub returning: u64,
}

/// How often users come back.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Stickiness {
    /// The sum of the active users of each local day that the range touches: a user counts once on each of their days.
    pub daily_users: u64,
    /// The number of local days that the range touches.
    pub days: u64,
    /// Distinct active users of the last 30 local days of the range, up to its end.
    pub monthly_users: u64,
}

/// The active users of a whole range.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct ActiveUsersTotals {
    /// Distinct users over the whole range.
    pub users: ActiveUsers,
    /// How often users come back.
    pub stickiness: Stickiness,
}

/// The answer for one period.
pub type ActiveUsersSeries = Series<ActiveUsersTotals, ActiveUsers>;

/// Counts active users per bucket and over the whole range.
pub fn active_users(store: &dyn Store, spec: SeriesSpec, audience: &Audience) -> Result<Compared<ActiveUsersSeries>> {
    let first = spec.previous().unwrap_or(spec.span).range.start;
    store.reading(|tx| {
        let mut seen = active_before(tx, audience, first)?;
        spec.compared(|span| series(tx, audience, span, spec.granularity, &mut seen))
    })
}

/// The users who were active before an instant.
pub(super) fn active_before(tx: &mut dyn ReadTx, audience: &Audience, end: Timestamp) -> Result<IdBits> {
    match tx.span()? {
        Some((start, _)) if start < end => read::active_users(tx, audience, TimeRange { start, end }),
        _ => Ok(IdBits::default()),
    }
}

/// `seen` holds the users who were active before the span; the users of the span are added to it.
fn series(
    tx: &mut dyn ReadTx,
    audience: &Audience,
    span: Span,
    granularity: Granularity,
    seen: &mut IdBits,
) -> Result<ActiveUsersSeries> {
    let ranges = span.buckets(granularity)?;
    let mut buckets = Vec::with_capacity(ranges.len());
    let mut all = IdBits::default();
    let mut new = 0;
    read::each(tx, audience, &ranges, &[Facet::ActiveAll], |_, range, fold: &Fold| {
        let mut users = ActiveUsers::default();
        if let Some(ids) = fold.ids(audience.active_key()) {
            users.active = fold.cell(audience.active_key()).distinct;
            users.returning = ids.intersection_len(seen) as u64;
            users.new = users.active - users.returning;
            all.unite(ids);
            seen.unite(ids);
        }
        new += users.new;
        buckets.push((range, users));
        Ok(())
    })?;
    // A user is new in one bucket only, so the sum over the buckets is the number for the range.
    let active = all.len() as u64;
    let daily = if granularity == Granularity::Day {
        Daily { users: buckets.iter().map(|(_, users)| users.active).sum(), days: buckets.len() as u64 }
    } else {
        daily(tx, audience, span)?
    };
    let stickiness = Stickiness {
        daily_users: daily.users,
        days: daily.days,
        monthly_users: read::active_users(tx, audience, span.last_days(MONTH_DAYS))?.len() as u64,
    };
    let users = ActiveUsers { active, new, returning: active - new };
    Ok(Series { span, totals: ActiveUsersTotals { users, stickiness }, buckets })
}

struct Daily {
    users: u64,
    days: u64,
}

fn daily(tx: &mut dyn ReadTx, audience: &Audience, span: Span) -> Result<Daily> {
    let days = span.buckets(Granularity::Day)?;
    let mut users = 0;
    read::each(tx, audience, &days, &[Facet::ActiveAll], |_, _, fold: &Numbers| {
        users += fold.cell(audience.active_key()).distinct;
        Ok(())
    })?;
    Ok(Daily { users, days: days.len() as u64 })
}
