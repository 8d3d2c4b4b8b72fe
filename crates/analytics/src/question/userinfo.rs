//! Userinfo calls per day and tenant.

use chrono::NaiveDate;
use trailkeeper_domain::Result;
use trailkeeper_domain::activity::Period;
use trailkeeper_domain::creation::DailyCount;
use trailkeeper_domain::ports::{ReadTx, Store};
use trailkeeper_domain::scope::Level;

use super::daily_counts::{TenantCounts, by_day};
use super::local_periods::LocalPeriods;
use crate::engine::{TenantCells, per_tenant};
use crate::sheet::Facet;
use crate::span::bounds;
use crate::{EachTenant, Zone};

/// A question for the userinfo calls of a range of days.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct UserinfoQuestion {
    /// The first local day.
    pub start_date: NaiveDate,
    /// The last local day, included.
    pub end_date: NaiveDate,
    /// The time zone of the days.
    pub zone: Zone,
}

/// The calls of one day.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DailyUserinfo {
    /// The local day.
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
    bounds::check_range_of_days(question.start_date, question.end_date)?;
    let periods = LocalPeriods::of(question.zone, Period::Daily, question.start_date, question.end_date);
    let counts = match tenants.tenants() {
        Some([]) => Vec::new(),
        _ => store.reading(|tx| counts_of(tx, tenants, &periods))?,
    };
    let days = by_day(question.start_date, question.end_date, counts);
    Ok(days.into_iter().map(|(date, details)| DailyUserinfo { date, details }).collect())
}

fn counts_of(tx: &mut dyn ReadTx, tenants: &EachTenant, days: &LocalPeriods) -> Result<Vec<DailyCount>> {
    let mut counts = Vec::new();
    if !days.are_of_utc() {
        days.per_tenant(tx, tenants, Facet::Userinfo, &mut |tenant_id, day, cell| {
            counts.push(DailyCount { day, tenant_id, count: cell.count });
            Ok(())
        })?;
        return Ok(counts);
    }
    for scopes in tenants.scopes() {
        let wanted =
            TenantCells { scopes, level: Level::Day, starts: days.range(), facet: Facet::Userinfo, only: None };
        per_tenant(tx, &wanted, &mut |tenant_id, start, cell| {
            counts.push(DailyCount { day: start.date_naive(), tenant_id, count: cell.count });
            Ok(())
        })?;
    }
    Ok(counts)
}
