//! Userinfo calls per day and tenant.

use chrono::NaiveDate;
use trailkeeper_domain::Result;
use trailkeeper_domain::creation::DailyCount;
use trailkeeper_domain::ports::{ReadTx, Scopes, Store};
use trailkeeper_domain::scope::Level;
use trailkeeper_domain::time::TimeRange;

use super::daily_counts::{TenantCounts, by_day};
use crate::EachTenant;
use crate::engine::{TenantCells, per_tenant};
use crate::sheet::Facet;
use crate::span::bounds;

/// A question for the userinfo calls of a range of days.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct UserinfoQuestion {
    /// The first UTC day.
    pub start_date: NaiveDate,
    /// The last UTC day, included.
    pub end_date: NaiveDate,
}

/// The calls of one day.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DailyUserinfo {
    /// The UTC day.
    pub date: NaiveDate,
    /// The number of calls per tenant; tenants without calls are left out.
    pub details: TenantCounts,
}

/// One entry for every day of the range, ascending.
///
/// # Errors
/// [`Error::Invalid`](trailkeeper_domain::Error::Invalid) for a range that ends before it begins or is longer than ten
/// years.
pub fn userinfo(store: &dyn Store, question: &UserinfoQuestion, tenants: &EachTenant) -> Result<Vec<DailyUserinfo>> {
    let range = bounds::range_of_days(question.start_date, question.end_date)?;
    let scopes = tenants.scopes();
    let counts = if scopes.is_empty() { Vec::new() } else { store.reading(|tx| counts_of(tx, &scopes, range))? };
    let days = by_day(question.start_date, question.end_date, counts);
    Ok(days.into_iter().map(|(date, details)| DailyUserinfo { date, details }).collect())
}

fn counts_of(tx: &mut dyn ReadTx, scopes: &[Scopes], range: TimeRange) -> Result<Vec<DailyCount>> {
    let mut counts = Vec::new();
    for scopes in scopes {
        let wanted =
            TenantCells { scopes: *scopes, level: Level::Day, starts: range, facet: Facet::Userinfo, only: None };
        per_tenant(tx, &wanted, &mut |tenant_id, start, cell| {
            counts.push(DailyCount { day: start.date_naive(), tenant_id, count: cell.count });
            Ok(())
        })?;
    }
    Ok(counts)
}
