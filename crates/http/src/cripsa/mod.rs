//! The Cripsa Audit Log, base `/v1/auditlog`: its published use case, with the names and enums of
//! Cognito user pools in `snake_case`.

mod auth_event;
mod error_responses;
mod pools;
mod user_view;
mod users;
mod users_attributes;
mod users_count;
mod users_events;
mod values;
mod vocabulary;

use actix_web::http::Method;
use actix_web::web::{self, ServiceConfig};
use utoipa::openapi::RefOr;
use utoipa::openapi::schema::{AdditionalProperties, Schema};
use utoipa::{Modify, OpenApi};

use crate::endpoint::{endpoint, fallback};
use crate::error_formats::{Cripsa, CripsaError};
use crate::inlined::InlinedFields;
use crate::openapi::BearerScheme;

/// The document.
#[derive(OpenApi)]
#[openapi(
    info(
        title = "Cripsa Audit Log API",
        version = "1.0.0",
        description = "Counts, looks up and follows the users of user pools, and updates their attributes."
    ),
    servers((url = "/v1/auditlog")),
    tags((name = "users", description = "User data")),
    paths(users_count::count, users_attributes::update, users_events::list, users::get),
    components(schemas(CripsaError)),
    modifiers(&BearerScheme, &InlinedFields, &KnownFieldsOnly),
)]
pub struct Document;

/// Says of bodies that no other fields are taken: a misspelt one must not pass unnoticed.
struct KnownFieldsOnly;

impl Modify for KnownFieldsOnly {
    fn modify(&self, openapi: &mut utoipa::openapi::OpenApi) {
        let schemas = openapi.components.iter_mut().flat_map(|components| components.schemas.iter_mut());
        for (name, schema) in schemas {
            if let ("UpdateAttributesRequest" | "AttributeUpdate", RefOr::T(Schema::Object(object))) =
                (name.as_str(), schema)
            {
                object.additional_properties = Some(Box::new(AdditionalProperties::FreeForm(false)));
            }
        }
    }
}

/// Adds the routes.
pub fn configure(config: &mut ServiceConfig) {
    let scope = web::scope("/v1/auditlog")
        .service(endpoint::<Cripsa>("/users/count", vec![(Method::GET, web::to(users_count::count))]))
        .service(endpoint::<Cripsa>("/users/attributes", vec![(Method::PATCH, web::to(users_attributes::update))]))
        .service(endpoint::<Cripsa>("/users/events", vec![(Method::GET, web::to(users_events::list))]))
        .service(endpoint::<Cripsa>("/users", vec![(Method::GET, web::to(users::get))]))
        .default_service(fallback::<Cripsa>("/openapi/cripsa.json"));
    config.service(scope);
}
