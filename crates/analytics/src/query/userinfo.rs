//! How many userinfo calls there were per day and tenant.

use chrono::NaiveDate;
use trailkeeper_domain::Result;
use trailkeeper_domain::creation::DailyCount;
use trailkeeper_domain::id::TenantId;
use trailkeeper_domain::ports::{ReadTx, Scopes, Store};
use trailkeeper_domain::scope::{Level, Scope};
use trailkeeper_domain::time::TimeRange;

use crate::bounds;
use crate::daily::{self, PerTenant};
use crate::engine::{TenantCells, per_tenant};
use crate::sheet::Facet;

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
    tenant_scoped: Option<TenantId>,
) -> Result<Vec<DailyUserinfo>> {
    let range = bounds::range_of_days(question.start_date, question.end_date)?;
    let tenants = bounds::narrowed(question.tenant_ids.as_deref(), tenant_scoped);
    let scopes: Vec<Scopes> = match tenants {
        None => vec![Scopes::EveryTenant],
        Some(tenants) => tenants.into_iter().map(|tenant| Scopes::One(Scope::Tenant(tenant))).collect(),
    };
    let counts = if scopes.is_empty() { Vec::new() } else { store.reading(|tx| counts_of(tx, &scopes, range))? };
    let days = daily::every_day(question.start_date, question.end_date, counts);
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
