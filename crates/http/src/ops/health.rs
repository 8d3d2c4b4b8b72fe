//! Liveness and readiness.

use actix_web::HttpResponse;
use actix_web::web::Data;
use serde::Serialize;
use utoipa::ToSchema;

use super::readiness;
use crate::api_error::ApiResult;
use crate::error_formats::{Native, Problem};
use crate::extract::anyone::{Anyone, Everyone, Probe};
use crate::operation::operation;
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
/// The database can be written and has every migration. Load balancers should use this check. The response is at most
/// one second old, so the database is asked at most once a second. No credential needed.
#[operation(get, "/readyz", tag = "operations", unknown_parameters = "ignored",
    responses(
        (status = 200, description = "The server can serve requests.", body = Health),
        (status = 429, description = "Too many requests.", body = Problem, content_type = "application/problem+json",
            headers(
                ("Retry-After" = u32, description = "Seconds until another attempt makes sense."),
                ("RateLimit-Limit" = u32, description = "Requests per minute."),
                ("RateLimit-Remaining" = u32, description = "Requests left in this minute."),
                ("RateLimit-Reset" = u32, description = "Seconds until the next minute begins."),
                ("RateLimit-Policy" = String, description = "The limit and its window: `6000;w=60`."),
            )),
        (status = 503, description = "The database is unavailable or not migrated.", body = Problem, content_type = "application/problem+json"),
    ))]
pub async fn readyz(_: Anyone<Probe, Native>, state: Data<AppState>) -> ApiResult<Native> {
    readiness::check(&state).await?;
    Ok(HttpResponse::Ok().json(Health { status: "ok" }))
}
