//! Whether the server lives, and whether it can serve.

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

/// How the server is.
#[derive(Debug, Serialize, ToSchema)]
#[schema(example = json!({"status": "ok"}))]
pub struct Health {
    /// Always `ok`: what is not ok is a problem with its status.
    status: &'static str,
}

/// The server lives.
///
/// Says nothing about the database: a supervisor should not restart the server because the database
/// is away. No credential needed, and no limit: a 429 would have the supervisor restart it for being asked often.
#[operation(get, "/healthz", tag = "operations", unknown_parameters = "ignored",
    responses((status = 200, description = "The server lives.", body = Health)))]
pub async fn healthz(_: Everyone) -> ApiResult<Native> {
    Ok(HttpResponse::Ok().json(Health { status: "ok" }))
}

/// The server can serve.
///
/// The database can be written and has every migration. A load balancer should ask this one. The answer is at most one
/// second old, so that however many ask, the database is asked once a second. No credential needed.
#[operation(get, "/readyz", tag = "operations", unknown_parameters = "ignored",
    responses(
        (status = 200, description = "The server can serve.", body = Health),
        (status = 429, description = "Too many requests.", body = Problem, content_type = "application/problem+json",
            headers(
                ("Retry-After" = u32, description = "Seconds until another attempt makes sense."),
                ("RateLimit-Limit" = u32, description = "Requests a minute."),
                ("RateLimit-Remaining" = u32, description = "How many more there may be."),
                ("RateLimit-Reset" = u32, description = "Seconds until they are counted anew."),
                ("RateLimit-Policy" = String, description = "The limit and its window: `6000;w=60`."),
            )),
        (status = 503, description = "The database is away or not migrated.", body = Problem, content_type = "application/problem+json"),
    ))]
pub async fn readyz(_: Anyone<Probe, Native>, state: Data<AppState>) -> ApiResult<Native> {
    readiness::checked(&state).await?;
    Ok(HttpResponse::Ok().json(Health { status: "ok" }))
}
