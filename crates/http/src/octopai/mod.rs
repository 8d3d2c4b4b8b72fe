//! The Octopai API: logins, and the list of user events.

mod error_responses;
mod fields;
mod login;
mod login_result;
mod refresh_token;
mod user_events;
mod values;

use std::sync::LazyLock;

use actix_web::web::{self, ServiceConfig};
use utoipa::OpenApi;
use utoipa::openapi::OpenApi as OpenApiDocument;

use crate::bearer_scheme::BearerScheme;
use crate::error_formats::{Octopai, OctopaiError};
use crate::operation::routes::fallback;
use crate::operation::{Declaration, document, operations, routes};

/// The document.
#[derive(OpenApi)]
#[openapi(
    info(
        title = "Octopai UserEvents API",
        description = "Logins, and the trail of user events. Field names of bodies are matched without regard to case.",
        contact(name = "Trailkeeper"),
    ),
    servers((url = "/", description = "The server that serves this document.")),
    tags((name = "UserAccount", description = "Logins and user events")),
    components(schemas(OctopaiError)),
    modifiers(&BearerScheme),
)]
struct Document;

/// The declared operations of this contract.
pub static OPERATIONS: LazyLock<Vec<Declaration>> =
    LazyLock::new(|| operations![login::log_in, refresh_token::refresh_login, user_events::list_user_events]);

/// The document, including its operations.
pub fn document() -> OpenApiDocument {
    let mut openapi = Document::openapi();
    document::add(&mut openapi, &OPERATIONS);
    openapi
}

/// Adds the routes of this contract. Every other path under `/api` gets this contract's error, because no other
/// contract has paths there: such a path is mistyped.
pub fn configure(config: &mut ServiceConfig) {
    routes::configure::<Octopai>(config, &OPERATIONS);
    config.service(web::scope("/api").default_service(fallback::<Octopai>("/openapi/octopai.json")));
}
