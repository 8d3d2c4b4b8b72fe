//! Whether the server lives, and whether it can serve.

use actix_web::HttpResponse;
use actix_web::web::Data;
use serde::Serialize;
use utoipa::ToSchema;

use crate::blocking;
use crate::refusal::Answer;
use crate::shapes::{Native, Problem};
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
/// is away. No credential needed.
#[utoipa::path(get, path = "/healthz", operation_id = "healthz", tag = "operations", security(()),
    responses((status = 200, description = "The server lives.", body = Health)))]
pub async fn healthz() -> HttpResponse {
    HttpResponse::Ok().json(Health { status: "ok" })
}

/// The server can serve.
///
/// The database is reachable and has every migration. A load balancer should ask this one. No
/// credential needed.
#[utoipa::path(get, path = "/readyz", operation_id = "readyz", tag = "operations", security(()),
    responses(
        (status = 200, description = "The server can serve.", body = Health),
        (status = 503, description = "The database is away or not migrated.", body = Problem, content_type = "application/problem+json"),
    ))]
pub async fn readyz(state: Data<AppState>) -> Answer<Native> {
    blocking::run(&state, |state| state.store().ready()).await?;
    Ok(HttpResponse::Ok().json(Health { status: "ok" }))
}
