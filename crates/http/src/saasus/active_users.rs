//! `GET /active-users`.

use std::sync::Arc;

use actix_web::HttpResponse;
use actix_web::http::header::ContentType;
use actix_web::web::Data;
use chrono::{Datelike as _, NaiveDate};
use serde::{Serialize, Serializer};
use trailkeeper_analytics::EachTenant;
use trailkeeper_analytics::question::active_users::tenants::{ActiveUsersQuestion, active_users};
use trailkeeper_domain::activity::{ActiveUsers as ActiveUsersCell, Period};
use trailkeeper_domain::id::{EnvId, TenantId};
use trailkeeper_domain::{Error, Result as DomainResult};
use utoipa::ToSchema;
use uuid::{Uuid, uuid};

use super::error_responses::{ErrorResponses, TenantErrorResponses};
use super::values;
use crate::api_error::ApiResult;
use crate::blocking;
use crate::error_formats::Saasus;
use crate::extract::caller::{ReadAnalytics, SaasusCaller};
use crate::operation::{FromQuery, QueryParams, operation};
use crate::state::AppState;
use crate::timezone::TimeZoneParam;

/// The requested active users.
#[derive(QueryParams)]
#[expect(clippy::doc_markdown, reason = "the descriptions are the published ones")]
pub struct ActiveUsersParams {
    /// Type of active users data (monthly or daily)
    #[param(schema = values::ActiveUsersType, inline, example = "monthly", with = Period::parse)]
    r#type: Period,
    /// Start date (YYYY-MM for monthly, YYYY-MM-DD for daily)
    #[param(schema = values::PeriodDate, inline, example = "2025-01")]
    date_from: String,
    /// End date (YYYY-MM for monthly, YYYY-MM-DD for daily). Optional.
    #[param(schema = values::PeriodDate, inline, example = "2025-12")]
    date_to: Option<String>,
    /// Tenant ID (optional)
    #[param(schema = values::TenantId, inline, example = "69e732d6-8ecc-45c4-c2eb-8438f7ffe775")]
    tenant_id: Option<TenantId>,
    /// Environment ID (optional, requires tenant_id)
    #[param(schema = values::EnvId, inline, example = 1)]
    env_id: Option<EnvId>,
    #[param(flatten)]
    timezone: TimeZoneParam<values::ZoneOfDays>,
}

impl ActiveUsersParams {
    fn question(&self) -> DomainResult<ActiveUsersQuestion> {
        let period = self.r#type;
        let date_from = period.parse_date("date_from", &self.date_from)?;
        let date_to = self.date_to.as_deref().map(|date| period.parse_date("date_to", date)).transpose()?;
        Ok(ActiveUsersQuestion { period, date_from, date_to, zone: self.timezone.zone() })
    }
}

/// The numbers of active users.
#[derive(Serialize, ToSchema)]
pub struct ActiveUsers {
    /// The numbers by date, tenant and environment, ascending. Combinations without a value are left out.
    data: Vec<ActiveUserData>,
}

/// The number of active users in one period, tenant and environment.
#[derive(Serialize, ToSchema)]
pub struct ActiveUserData {
    /// The local day or month: YYYY-MM-DD or YYYY-MM.
    #[schema(value_type = values::PeriodDate, inline)]
    date: PeriodDate,
    /// The tenant; all zero: outside any tenant.
    #[schema(value_type = values::TenantId, inline)]
    tenant_id: Uuid,
    /// The environment.
    #[schema(value_type = values::EnvId, inline)]
    env_id: u32,
    /// The number of distinct users, exact.
    #[schema(value_type = values::Count, inline)]
    active_users: u64,
}

/// The first day of a period, written as its period is. An answer has very many rows of few periods, so the rows of a
/// period share the text.
#[derive(Clone)]
struct PeriodDate(Arc<str>);

impl PeriodDate {
    fn new(period: Period, start: NaiveDate) -> Self {
        Self(match period {
            Period::Daily => start.to_string().into(),
            Period::Monthly => format!("{:04}-{:02}", start.year(), start.month()).into(),
        })
    }
}

impl Serialize for PeriodDate {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(&self.0)
    }
}

impl ActiveUsers {
    /// The answer. Cells of a period are next to each other.
    fn of(period: Period, cells: &[ActiveUsersCell]) -> Self {
        let mut data = Vec::with_capacity(cells.len());
        for cells in cells.chunk_by(|a, b| a.start == b.start) {
            let day = cells.first().map(|first| PeriodDate::new(period, first.start));
            data.extend(cells.iter().zip(day.iter().cycle()).map(|(cell, day)| ActiveUserData {
                date: day.clone(),
                tenant_id: cell.tenant_id.0,
                env_id: cell.env_id.0,
                active_users: cell.users,
            }));
        }
        Self { data }
    }

    fn sample() -> Self {
        let row = ActiveUserData {
            date: PeriodDate::new(Period::Monthly, NaiveDate::from_ymd_opt(2025, 1, 1).unwrap_or_default()),
            tenant_id: uuid!("69e732d6-8ecc-45c4-c2eb-8438f7ffe775"),
            env_id: 1,
            active_users: 100,
        };
        Self { data: vec![row] }
    }
}

/// Get daily or monthly active users
///
/// Get daily or monthly active users information.
///
/// A user is active in a period when at least one of their events in it did not fail. A reported value for a period,
/// tenant and environment replaces the computed one, in every time zone. Without `date_to` the answer goes on until now. A credential that
/// is scoped to a tenant sees only that tenant.
#[operation(get, "/active-users", operation_id = "GetActiveUsers", tag = "userAnalysis",
    responses(
        (status = 200, description = "The numbers of active users.", body = ActiveUsers,
            example = json!(ActiveUsers::sample())),
        ErrorResponses,
        TenantErrorResponses,
    ))]
pub async fn get_active_users(
    caller: SaasusCaller<ReadAnalytics>,
    FromQuery(params): FromQuery<ActiveUsersParams>,
    state: Data<AppState>,
) -> ApiResult<Saasus> {
    let question = params.question()?;
    let tenant = params.tenant_id.as_ref().map(std::slice::from_ref);
    let tenants = EachTenant::of(caller.principal.visibility(), tenant, params.env_id)?;
    // Some megabytes of an answer would hold up the others of the thread that requests come in on.
    let body = blocking::run_analytic(&state, move |state| {
        let cells = active_users(state.store(), state.clock(), &question, &tenants)?;
        serde_json::to_vec(&ActiveUsers::of(question.period, &cells)).map_err(Error::internal)
    })
    .await?;
    Ok(HttpResponse::Ok().content_type(ContentType::json()).body(body))
}
