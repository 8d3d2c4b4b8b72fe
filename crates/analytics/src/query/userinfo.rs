//! How many userinfo calls there were per day and tenant.

use chrono::NaiveDate;
use trailkeeper_domain::Result;
use trailkeeper_domain::id::TenantId;
use trailkeeper_domain::ports::Store;

use crate::answer::{self, PerTenant};
use crate::bounds;

/// Which calls are asked for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct UserinfoQuestion {
    /// The first UTC day.
    pub start_date: NaiveDate,
    /// The last UTC day, included.
    pub end_date: NaiveDate,
    /// Only of these tenants; absent: of all. [`TenantId::NONE`] stands for calls outside any.
    pub tenant_ids: Option<Vec<TenantId>>,
}

/// The calls of one day.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DailyUserinfo {
    /// The UTC day.
    pub date: NaiveDate,
    /// How many per tenant; tenants without any are left out.
    pub details: PerTenant,
}

/// One entry for every day of the range, ascending.
pub fn userinfo(
    store: &dyn Store,
    question: &UserinfoQuestion,
    confined: Option<TenantId>,
) -> Result<Vec<DailyUserinfo>> {
    let range = bounds::range_of_days(question.start_date, question.end_date)?;
    let tenants = bounds::narrowed(question.tenant_ids.as_deref(), confined);
    let counts = match tenants.as_deref() {
        Some([]) => Vec::new(),
        tenants => store.reading(|tx| tx.userinfo_per_day(range, tenants))?,
    };
    let days = answer::every_day(question.start_date, question.end_date, counts);
    Ok(days.into_iter().map(|(date, details)| DailyUserinfo { date, details }).collect())
}
