//! For operators and explorers: health, OpenAPI documents, Swagger UI.

mod documents;
mod health;
mod jwks;
mod readiness;

use actix_web::http::Method;
use actix_web::web::{self, ServiceConfig};

use crate::endpoint::endpoint;
use crate::error_formats::Native;

pub use health::{__path_healthz, __path_readyz};
pub use jwks::__path_jwks;
pub use readiness::Readiness;

/// Adds the routes.
pub fn configure(config: &mut ServiceConfig) {
    config
        .service(endpoint::<Native>("/healthz", vec![(Method::GET, web::to(health::healthz))]))
        .service(endpoint::<Native>("/readyz", vec![(Method::GET, web::to(health::readyz))]))
        .service(endpoint::<Native>("/.well-known/jwks.json", vec![(Method::GET, web::to(jwks::jwks))]))
        .service(endpoint::<Native>("/openapi.json", vec![(Method::GET, web::to(documents::all))]))
        .service(endpoint::<Native>("/openapi/{contract}.json", vec![(Method::GET, web::to(documents::one))]))
        .service(endpoint::<Native>("/docs", vec![(Method::GET, web::to(documents::to_swagger_ui))]))
        .service(endpoint::<Native>("/docs/{file:.*}", vec![(Method::GET, web::to(documents::swagger_ui))]));
}
