//! Liveness and readiness.

use actix_web::HttpResponse;
use actix_web::web::Data;
use serde::Serialize;
use utoipa::ToSchema;

use super::readiness;
use crate::api_error::ApiResult;
use crate::error_formats::Native;
use crate::extract::anyone::{Anyone, Everyone, Probe};
use crate::operation::operation;
use crate::problems::PublicProblems;
use crate::state::AppState;

/// The state of the server.
#[derive(Debug, Serialize, ToSchema)]
#[schema(example = json!({"status": "ok"}))]
pub struct Health {
    /// Always `ok`; any other state is a problem response.
    status: &'static str,
}

/// The server is alive.
///
/// Does not check the database: a supervisor should not restart the server because the database is unavailable. No
/// credential needed, and no limit: a supervisor would take a 429 as a reason to restart the server.
#[operation(get, "/healthz", tag = "operations", unknown_parameters = "ignored",
    responses((status = 200, description = "The server is alive.", body = Health)))]
#[expect(clippy::unnecessary_wraps, reason = "every handler has this signature")]
pub fn healthz(_: Everyone) -> ApiResult<Native> {
    Ok(HttpResponse::Ok().json(Health { status: "ok" }))
}

/// The server can serve requests.
///
/// The database takes a write, and has exactly the migrations of this version; otherwise the answer is 503. Load balancers
/// should use this check. The response is at most three seconds old, so the database is asked at most every three
/// seconds. No credential needed.
#[operation(get, "/readyz", tag = "operations", unknown_parameters = "ignored",
    responses((status = 200, description = "The server can serve requests.", body = Health), PublicProblems))]
pub async fn readyz(_: Anyone<Probe, Native>, state: Data<AppState>) -> ApiResult<Native> {
    readiness::check(&state).await?;
    Ok(HttpResponse::Ok().json(Health { status: "ok" }))
}
