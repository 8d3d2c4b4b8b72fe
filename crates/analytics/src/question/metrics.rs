//! Tenants, users and memberships that were created per day.

use chrono::NaiveDate;
use trailkeeper_domain::Result;
use trailkeeper_domain::activity::Period;
use trailkeeper_domain::creation::{CreationKind, DailyCount};
use trailkeeper_domain::id::TenantId;
use trailkeeper_domain::ports::{ReadTx, Store};

use super::daily_counts::{TenantCounts, by_day};
use super::local_periods::LocalPeriods;
use crate::span::bounds;
use crate::{EachTenant, Zone};

/// A question for the creations of a range of days.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct MetricsQuestion {
    /// The kind of the creations.
    pub kind: CreationKind,
    /// The first local day.
    pub start_date: NaiveDate,
    /// The last local day, included.
    pub end_date: NaiveDate,
    /// The time zone of the days.
    pub zone: Zone,
}

/// The creations of one day.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DailyMetric {
    /// The local day.
    pub date: NaiveDate,
    /// The number of creations, over all tenants.
    pub count: u64,
    /// The number of creations per tenant; only for memberships.
    pub details: Option<TenantCounts>,
}

/// One entry for every day of the range, ascending.
///
/// # Errors
/// [`Error::Invalid`](trailkeeper_domain::Error::Invalid) for a range that ends before it begins or is longer than ten
/// years.
pub fn metrics(store: &dyn Store, question: &MetricsQuestion, tenants: &EachTenant) -> Result<Vec<DailyMetric>> {
    bounds::check_range_of_days(question.start_date, question.end_date)?;
    let periods = LocalPeriods::of(question.zone, Period::Daily, question.start_date, question.end_date);
    let counts = match tenants.tenants() {
        Some([]) => Vec::new(),
        tenants => store.reading(|tx| counts_of(tx, question.kind, &periods, tenants))?,
    };
    let days = by_day(question.start_date, question.end_date, counts);
    Ok(days
        .into_iter()
        .map(|(date, tenants)| DailyMetric {
            date,
            count: tenants.values().sum(),
            details: (question.kind == CreationKind::TenantUser).then_some(tenants),
        })
        .collect())
}

fn counts_of(
    tx: &mut dyn ReadTx,
    kind: CreationKind,
    days: &LocalPeriods,
    tenants: Option<&[TenantId]>,
) -> Result<Vec<DailyCount>> {
    // The database groups by UTC days.
    if days.are_of_utc() {
        return tx.creations_per_day(kind, days.range(), tenants);
    }
    let mut counts = Vec::new();
    tx.creations(kind, days.range(), tenants, &mut |creation| {
        let day = days.holding(creation.created_at);
        counts.extend(day.map(|day| DailyCount { day, tenant_id: creation.tenant_id, count: 1 }));
        Ok(())
    })?;
    Ok(counts)
}
