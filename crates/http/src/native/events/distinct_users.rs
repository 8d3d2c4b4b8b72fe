//! `GET /v1/events/distinct-users`.

use actix_web::HttpResponse;
use actix_web::web::Data;
use serde::Serialize;
use serde_json::{Value, json};
use trailkeeper_domain::usecase;
use utoipa::ToSchema;

use super::conditions::EventFilterParams;
use crate::api_error::ApiResult;
use crate::blocking;
use crate::error_formats::Native;
use crate::extract::caller::{Caller, CountEvents};
use crate::native::schemas;
use crate::operation::{FromQuery, operation};
use crate::problems::{CommonProblems, TenantNotFound};
use crate::state::AppState;

/// A number of users.
#[derive(Serialize, ToSchema)]
#[schema(example = DistinctUsersView::sample)]
pub struct DistinctUsersView {
    /// The number of distinct users of the events that match.
    #[schema(value_type = schemas::Count)]
    users: u64,
}

impl DistinctUsersView {
    fn sample() -> Value {
        json!(Self { users: 42 })
    }
}

/// Count the distinct users of events.
///
/// The number of users in the list of events with the same filters, each counted once. It is exact. Events without a
/// user add nothing.
#[operation(get, "/v1/events/distinct-users", tag = "events",
    responses((status = 200, description = "The number of users.", body = DistinctUsersView), CommonProblems, TenantNotFound))]
pub async fn count_distinct_users(
    caller: Caller<CountEvents, Native>,
    FromQuery(params): FromQuery<EventFilterParams>,
    state: Data<AppState>,
) -> ApiResult<Native> {
    let filter = params.filter(&caller.principal, &state)?;
    let users = blocking::run_analytic(&state, move |state| usecase::count_users(state.store(), &filter)).await?;
    Ok(HttpResponse::Ok().json(DistinctUsersView { users }))
}
