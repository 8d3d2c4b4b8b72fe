//! How many tenants, users and memberships came to be per day.

use chrono::NaiveDate;
use trailkeeper_domain::Result;
use trailkeeper_domain::creation::CreationKind;
use trailkeeper_domain::id::TenantId;
use trailkeeper_domain::ports::Store;

use crate::bounds;
use crate::daily::{self, PerTenant};

/// Which creations are asked for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct MetricsQuestion {
    /// Of what.
    pub kind: CreationKind,
    /// The first UTC day.
    pub start_date: NaiveDate,
    /// The last UTC day, included.
    pub end_date: NaiveDate,
    /// Only of these tenants; absent: of all.
    pub tenant_ids: Option<Vec<TenantId>>,
}

/// What came to be on one day.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DailyMetric {
    /// The UTC day.
    pub date: NaiveDate,
    /// How many, over all tenants.
    pub count: u64,
    /// How many per tenant; only for memberships.
    pub details: Option<PerTenant>,
}

/// One entry for every day of the range, ascending.
pub fn metrics(
    store: &dyn Store,
    question: &MetricsQuestion,
    tenant_scoped: Option<TenantId>,
) -> Result<Vec<DailyMetric>> {
    let range = bounds::range_of_days(question.start_date, question.end_date)?;
    let tenants = bounds::narrowed(question.tenant_ids.as_deref(), tenant_scoped);
    let counts = match tenants.as_deref() {
        Some([]) => Vec::new(),
        tenants => store.reading(|tx| tx.creations_per_day(question.kind, range, tenants))?,
    };
    let days = daily::every_day(question.start_date, question.end_date, counts);
    Ok(days
        .into_iter()
        .map(|(date, tenants)| DailyMetric {
            date,
            count: tenants.values().sum(),
            details: (question.kind == CreationKind::TenantUser).then_some(tenants),
        })
        .collect())
}
