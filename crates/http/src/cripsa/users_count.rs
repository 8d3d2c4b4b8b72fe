//! `GET /users/count`.

use actix_web::HttpResponse;
use actix_web::web::Data;
use serde::Serialize;
use trailkeeper_domain::user::{self, PoolId};
use utoipa::ToSchema;

use super::error_responses::ErrorResponses;
use super::{pools, values};
use crate::api_error::ApiResult;
use crate::blocking;
use crate::error_formats::Cripsa;
use crate::extract::caller::{Caller, ReadDirectory};
use crate::operation::{FromQuery, QueryParams, operation};
use crate::state::AppState;
use crate::timezone::TimeZoneParam;

/// The range and the user pool of the count.
#[derive(QueryParams)]
pub struct UsersCountParams {
    /// The first local day or instant: YYYY-MM-DD or RFC 3339.
    #[param(schema = values::DayOrInstant, inline, example = "2026-01-01")]
    start_date: String,
    /// The last local day or instant, included: YYYY-MM-DD or RFC 3339.
    #[param(schema = values::DayOrInstant, inline, example = "2026-01-31")]
    end_date: String,
    #[param(flatten)]
    timezone: TimeZoneParam<pools::ZoneOfDays>,
    /// The region of the user pool.
    #[param(schema = values::Region, inline, example = "eu-west-1")]
    region: String,
    /// The user pool: its region, `_`, its id.
    #[param(schema = values::UserPoolId, inline, example = "eu-west-1_aBcD12345")]
    user_pool_id: PoolId,
}

/// The number of users who registered in a range, and the parameters of the request.
#[derive(Serialize, ToSchema)]
pub struct UsersCount {
    /// The number of users, including users whose record was removed since.
    #[schema(minimum = 0)]
    count: u64,
    /// The parameter as it was sent.
    start_date: String,
    /// The parameter as it was sent.
    end_date: String,
    /// The parameter as it was sent.
    region: String,
    /// The parameter as it was sent.
    user_pool_id: String,
}

impl UsersCount {
    fn of(count: u64, params: UsersCountParams) -> Self {
        let UsersCountParams { start_date, end_date, region, user_pool_id, timezone: _ } = params;
        Self { count, start_date, end_date, region, user_pool_id: user_pool_id.to_string() }
    }

    fn sample() -> Self {
        Self {
            count: 42,
            start_date: "2026-01-01".to_owned(),
            end_date: "2026-01-31".to_owned(),
            region: "eu-west-1".to_owned(),
            user_pool_id: "eu-west-1_aBcD12345".to_owned(),
        }
    }
}

/// Retrieve User Data
///
/// Returns the number of users of a pool who registered in the range, both ends included. The number includes users
/// whose record was removed since. A credential that is scoped to a tenant counts only the users who ever were members
/// of the tenant.
#[operation(get, "/users/count", operation_id = "CountUsers", tag = "users",
    responses(
        (status = 200, description = "The number of users.", body = UsersCount, example = json!(UsersCount::sample())),
        ErrorResponses,
    ))]
pub async fn count_users(
    caller: Caller<ReadDirectory, Cripsa>,
    FromQuery(params): FromQuery<UsersCountParams>,
    state: Data<AppState>,
) -> ApiResult<Cripsa> {
    let (region, pool) = (params.region.clone(), params.user_pool_id.clone());
    user::checked_region("region", Some(region.clone()), Some(&pool))?;
    let range = pools::range_of(params.timezone.zone(), &params.start_date, &params.end_date)?;
    let member_of = caller.principal.visibility().tenant();
    let count = blocking::run(&state, move |state| {
        state.store().reading(|tx| tx.registered_users(range, &region, pool.as_str(), member_of))
    })
    .await?;
    Ok(HttpResponse::Ok().json(UsersCount::of(count, params)))
}
