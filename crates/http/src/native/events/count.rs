//! `GET /v1/events/count`.

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

/// A number of events.
#[derive(Serialize, ToSchema)]
#[schema(example = EventCountView::sample)]
pub struct EventCountView {
    /// The number of events that match.
    #[schema(value_type = schemas::Count)]
    count: u64,
}

impl EventCountView {
    fn sample() -> Value {
        json!(Self { count: 42 })
    }
}

/// Count events.
///
/// The number of events that the list of events has with the same filters. It is exact.
#[operation(get, "/v1/events/count", tag = "events",
    responses((status = 200, description = "The number of events.", body = EventCountView), CommonProblems, TenantNotFound))]
pub async fn count_events(
    caller: Caller<CountEvents, Native>,
    FromQuery(params): FromQuery<EventFilterParams>,
    state: Data<AppState>,
) -> ApiResult<Native> {
    let filter = params.filter(&caller.principal, &state)?;
    let count = blocking::run_analytic(&state, move |state| usecase::count_events(state.store(), &filter)).await?;
    Ok(HttpResponse::Ok().json(EventCountView { count }))
}
