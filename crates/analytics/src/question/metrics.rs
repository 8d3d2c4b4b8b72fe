//! Tenants, users and memberships that were created per day.

use chrono::NaiveDate;
use trailkeeper_domain::Result;
use trailkeeper_domain::creation::CreationKind;
use trailkeeper_domain::ports::Store;

use super::daily_counts::{TenantCounts, by_day};
use crate::EachTenant;
use crate::span::bounds;

/// A question for the creations of a range of days.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct MetricsQuestion {
    /// The kind of the creations.
    pub kind: CreationKind,
    /// The first UTC day.
    pub start_date: NaiveDate,
    /// The last UTC day, included.
    pub end_date: NaiveDate,
}

/// The creations of one day.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DailyMetric {
    /// The UTC day.
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
    let range = bounds::range_of_days(question.start_date, question.end_date)?;
    let counts = match tenants.tenants() {
        Some([]) => Vec::new(),
        tenants => store.reading(|tx| tx.creations_per_day(question.kind, range, tenants))?,
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
