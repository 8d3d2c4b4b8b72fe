//! The Octopai API: logins, and the trail of user events.

mod error_responses;
mod fields;
mod login;
mod login_result;
mod refresh_token;
mod user_events;
mod values;

use actix_web::http::Method;
use actix_web::web::{self, ServiceConfig};
use utoipa::OpenApi;

use crate::endpoint::{endpoint, fallback};
use crate::error_formats::{Octopai, OctopaiError};
use crate::inlined::InlinedFields;
use crate::openapi::BearerScheme;

/// The document.
#[derive(OpenApi)]
#[openapi(
    info(
        title = "Octopai UserEvents API",
        version = "1.0.0",
        description = "Logins, and the trail of user events. Field names of bodies are matched without regard to case."
    ),
    tags((name = "UserAccount", description = "Logins and user events")),
    paths(login::login, refresh_token::refresh, user_events::list),
    components(schemas(OctopaiError)),
    modifiers(&BearerScheme, &InlinedFields),
)]
pub struct Document;

/// Adds the routes. Everything else under `/api` is a mistyped path of this contract, as no other lives there.
pub fn configure(config: &mut ServiceConfig) {
    let scope = web::scope("/api/UserAccount")
        .service(endpoint::<Octopai>("/Login", vec![(Method::POST, web::to(login::login))]))
        .service(endpoint::<Octopai>("/RefreshToken", vec![(Method::POST, web::to(refresh_token::refresh))]))
        .service(endpoint::<Octopai>("/UserEvents", vec![(Method::POST, web::to(user_events::list))]))
        .default_service(fallback::<Octopai>("/openapi/octopai.json"));
    let elsewhere = web::scope("/api").default_service(fallback::<Octopai>("/openapi/octopai.json"));
    config.service(scope).service(elsewhere);
}
