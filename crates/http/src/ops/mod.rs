//! Operations for operators and developers: health, public keys, OpenAPI documents, Swagger UI.

mod documents;
mod health;
mod jwks;
mod readiness;

use actix_web::http::Method;
use actix_web::web::{self, ServiceConfig};

use crate::error_formats::Native;
use crate::operation::routes::resource;
use crate::operation::{Declaration, operations};

/// The operations that the native document describes.
pub fn operations() -> Vec<Declaration> {
    operations![health::healthz, health::readyz, jwks::jwks]
}

/// Adds the routes of documents and Swagger UI, which no document describes.
pub fn configure(config: &mut ServiceConfig) {
    config
        .service(resource::<Native>("/openapi.json", vec![(Method::GET, web::to(documents::all))]))
        .service(resource::<Native>("/openapi/{contract}.json", vec![(Method::GET, web::to(documents::one))]))
        .service(resource::<Native>("/docs", vec![(Method::GET, web::to(documents::to_swagger_ui))]))
        .service(resource::<Native>("/docs/{file:.*}", vec![(Method::GET, web::to(documents::swagger_ui))]));
}
