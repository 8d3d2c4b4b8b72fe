//! `GET /v1/analytics/tenants`.

use actix_web::web::Data;
use chrono::{Days, Months, NaiveDate};
use serde::Serialize;
use serde_json::{Value, json};
use trailkeeper_analytics::question::active_users::tenants::{ActiveUsersQuestion, active_users};
use trailkeeper_analytics::{Audience, EachTenant};
use trailkeeper_domain::activity::{ActiveUsers, Period};
use trailkeeper_domain::id::{EnvId, TenantId};
use trailkeeper_domain::{Error, Result, text, time};
use utoipa::ToSchema;
use uuid::{Uuid, uuid};

use super::csv::{FormatParam, Table};
use crate::api_error::ApiResult;
use crate::blocking;
use crate::error_formats::Native;
use crate::extract::caller::{Caller, ReadAnalytics};
use crate::native::schemas;
use crate::operation::{FromQuery, QueryParams, operation};
use crate::problems::{CommonProblems, TenantNotFound};
use crate::state::AppState;
use crate::timezone::{TimeZoneParam, ZoneMeaning};

/// The most rows of an answer.
const MAX_ROWS: usize = 200_000;

/// The periods and the tenants of the question.
#[derive(QueryParams)]
pub struct TenantActivityParams {
    /// The length of a period: `month`, the default, or `day`.
    #[param(schema = schemas::TenantGranularity, with = granularity, example = "month")]
    granularity: Option<Period>,
    /// Any local day of the first period; by default, that of 11 months ago, or of 29 days ago.
    #[param(schema = schemas::Day, with = time::parse_day, example = "2026-01-01")]
    from: Option<NaiveDate>,
    /// Any local day of the last period, which is included; by default, today.
    #[param(schema = schemas::Day, with = time::parse_day, example = "2026-12-31")]
    to: Option<NaiveDate>,
    #[param(flatten)]
    timezone: TimeZoneParam<ZoneOfPeriods>,
    /// Only this tenant; all zero: only what lies outside any tenant. Default: all that the credential may see.
    #[param(schema = schemas::TenantId)]
    tenant_id: Option<TenantId>,
    /// Only this environment. Needs `tenant_id`, unless the credential is scoped to a tenant.
    #[param(schema = schemas::EnvId)]
    env_id: Option<EnvId>,
    #[param(flatten)]
    format: FormatParam,
}

/// The time zone of the periods.
struct ZoneOfPeriods;

impl ZoneMeaning for ZoneOfPeriods {
    const DESCRIPTION: &'static str = "The IANA time zone of the periods; default: UTC.";
    const IS_INLINE: bool = false;
}

fn granularity(name: &str, value: &str) -> Result<Period> {
    match value {
        "day" => Ok(Period::Daily),
        "month" => Ok(Period::Monthly),
        other => Err(Error::invalid(name, format!("'{}' is not allowed; send day or month", text::shown(other)))),
    }
}

fn name_of(period: Period) -> &'static str {
    match period {
        Period::Daily => "day",
        Period::Monthly => "month",
    }
}

impl TenantActivityParams {
    /// The question, if today is `today` in its time zone.
    fn question(&self, today: NaiveDate) -> Result<ActiveUsersQuestion> {
        let period = self.granularity.unwrap_or(Period::Monthly);
        let to = self.to.unwrap_or(today);
        let earlier = match period {
            Period::Daily => to.checked_sub_days(Days::new(29)),
            Period::Monthly => to.checked_sub_months(Months::new(11)),
        };
        let from = self.from.or(earlier).unwrap_or(to);
        if from > to {
            return Err(Error::invalid("to", format!("'{to}' lies before from, '{from}'; send a later day")));
        }
        Ok(ActiveUsersQuestion { period, date_from: from, date_to: Some(to), zone: self.timezone.zone() })
    }
}

/// Active users of each tenant.
#[derive(Serialize, ToSchema)]
#[schema(example = TenantActivityView::sample)]
pub struct TenantActivityView {
    /// The time zone.
    #[schema(value_type = schemas::TimeZone)]
    timezone: &'static str,
    /// How long a period is.
    #[schema(value_type = schemas::TenantGranularity)]
    granularity: &'static str,
    /// The numbers by period, tenant and environment, in this order. Those without a value are left out.
    #[schema(max_items = 200_000)]
    rows: Vec<TenantActivity>,
}

/// Active users of a tenant and environment in one period.
#[derive(Serialize, ToSchema)]
pub struct TenantActivity {
    /// The first local day of the period.
    #[schema(value_type = schemas::Day)]
    start: NaiveDate,
    /// The tenant; all zero: outside any tenant.
    #[schema(value_type = schemas::TenantId)]
    tenant_id: Uuid,
    /// The environment.
    #[schema(value_type = schemas::EnvId)]
    env_id: u32,
    /// The number of distinct users with at least one event that did not fail, or the number that was reported.
    #[schema(value_type = schemas::Count)]
    active_users: u64,
}

impl From<ActiveUsers> for TenantActivity {
    fn from(cell: ActiveUsers) -> Self {
        Self { start: cell.start, tenant_id: cell.tenant_id.0, env_id: cell.env_id.0, active_users: cell.users }
    }
}

impl TenantActivityView {
    fn sample() -> Value {
        let row = TenantActivity {
            start: NaiveDate::from_ymd_opt(2026, 1, 1).unwrap_or_default(),
            tenant_id: uuid!("69e732d6-8ecc-45c4-a2eb-8438f7ffe775"),
            env_id: 1,
            active_users: 480,
        };
        json!(Self { timezone: "Asia/Tokyo", granularity: "month", rows: vec![row] })
    }
}

/// The columns in CSV.
const TABLE: Table = Table { rows: "rows", columns: &["start", "tenant_id", "env_id", "active_users"] };

/// Count the active users of each tenant and environment, per month or day.
///
/// The table by which to bill. The numbers are exact and come from one snapshot. A number that was reported for a period,
/// tenant and environment replaces the counted one. An answer has at most 200,000 rows.
#[operation(get, "/v1/analytics/tenants", tag = "analytics",
    responses((status = 200, description = "The numbers of active users by tenant.", content((TenantActivityView = "application/json"), (String = "text/csv"))), CommonProblems, TenantNotFound))]
pub async fn get_active_users_by_tenant(
    caller: Caller<ReadAnalytics, Native>,
    FromQuery(params): FromQuery<TenantActivityParams>,
    state: Data<AppState>,
) -> ApiResult<Native> {
    let zone = params.timezone.zone();
    let question = params.question(zone.counted_day_of(state.clock().now()))?;
    let visibility = caller.principal.visibility();
    // The errors of the other questions, also for the system tenant.
    Audience::of(visibility, params.tenant_id, params.env_id)?;
    let tenant = params.tenant_id.or(visibility.tenant());
    let tenants = EachTenant::of(visibility, tenant.as_ref().map(std::slice::from_ref), params.env_id)?;
    let cells =
        blocking::run_analytic(&state, move |state| active_users(state.store(), state.clock(), &question, &tenants))
            .await?;
    if cells.len() > MAX_ROWS {
        let detail = format!("gives an answer of more than {MAX_ROWS} rows; send a shorter range, or one tenant");
        return Err(Error::invalid("from", detail).into());
    }
    let rows = cells.into_iter().map(TenantActivity::from).collect();
    let view = TenantActivityView { timezone: zone.name(), granularity: name_of(question.period), rows };
    Ok(params.format.answer(&view, &TABLE)?)
}
