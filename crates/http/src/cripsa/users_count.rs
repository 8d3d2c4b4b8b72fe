//! `GET /users/count`.

use actix_web::web::Data;
use actix_web::{HttpRequest, HttpResponse};
use serde::Serialize;
use trailkeeper_domain::Result;
use trailkeeper_domain::time::TimeRange;
use trailkeeper_domain::user::{self, PoolId};
use utoipa::ToSchema;

use super::error_responses::ErrorResponses;
use super::{pools, values};
use crate::api_error::ApiResult;
use crate::blocking;
use crate::error_formats::Cripsa;
use crate::extract::caller::{Caller, ReadDirectory};
use crate::extract::query::Query;
use crate::state::AppState;

/// Whose registrations are counted.
struct Question {
    start_date: String,
    end_date: String,
    range: TimeRange,
    region: String,
    pool: PoolId,
}

impl Question {
    fn of(query: &Query) -> Result<Self> {
        let region = query.required("region")?.to_owned();
        let pool = PoolId::parse("user_pool_id", query.required("user_pool_id")?)?;
        user::checked_region("region", Some(region.clone()), Some(&pool))?;
        Ok(Self {
            start_date: query.required("start_date")?.to_owned(),
            end_date: query.required("end_date")?.to_owned(),
            range: pools::range_of(query)?,
            region,
            pool,
        })
    }
}

/// How many users registered in a range, and the question again.
#[derive(Serialize, ToSchema)]
pub struct UsersCount {
    /// How many, those included whose record was removed since.
    #[schema(minimum = 0)]
    count: u64,
    /// As it was sent.
    start_date: String,
    /// As it was sent.
    end_date: String,
    /// As it was sent.
    region: String,
    /// As it was sent.
    user_pool_id: String,
}

impl UsersCount {
    fn of(count: u64, question: Question) -> Self {
        let Question { start_date, end_date, range: _, region, pool } = question;
        Self { count, start_date, end_date, region, user_pool_id: pool.to_string() }
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
/// The number of users of a pool who registered in the range, both ends included. A user whose record
/// was removed since stays counted. With a credential that is confined to a tenant: of those who ever
/// were its members.
#[utoipa::path(
    get, path = "/users/count", operation_id = "CountUsers", tag = "users",
    params(
        ("start_date" = inline(values::DayOrInstant), Query, example = "2026-01-01",
            description = "The first day or instant: YYYY-MM-DD or RFC 3339."),
        ("end_date" = inline(values::DayOrInstant), Query, example = "2026-01-31",
            description = "The last day or instant, included: YYYY-MM-DD or RFC 3339."),
        ("region" = inline(values::Region), Query, description = "The region of the user pool.",
            example = "eu-west-1"),
        ("user_pool_id" = inline(values::UserPoolId), Query, description = "The user pool: its region, `_`, its id.",
            example = "eu-west-1_aBcD12345"),
    ),
    responses(
        (status = 200, description = "The number of users.", body = UsersCount, example = json!(UsersCount::sample())),
        ErrorResponses,
    ),
    security(("Bearer" = [])),
)]
pub async fn count(
    caller: Caller<ReadDirectory, Cripsa>,
    request: HttpRequest,
    state: Data<AppState>,
) -> ApiResult<Cripsa> {
    let query = Query::of(&request)?.only(&["start_date", "end_date", "region", "user_pool_id"])?;
    let question = Question::of(&query)?;
    let (range, region, pool) = (question.range, question.region.clone(), question.pool.clone());
    let member_of = caller.principal.visibility().tenant();
    let count = blocking::run(&state, move |state| {
        state.store().reading(|tx| tx.registered_users(range, &region, pool.as_str(), member_of))
    })
    .await?;
    Ok(HttpResponse::Ok().json(UsersCount::of(count, question)))
}
