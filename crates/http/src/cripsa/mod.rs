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

use std::sync::LazyLock;

use actix_web::web::{self, ServiceConfig};
use utoipa::openapi::OpenApi as OpenApiDocument;
use utoipa::openapi::RefOr;
use utoipa::openapi::schema::{AdditionalProperties, Schema};
use utoipa::{Modify, OpenApi};

use crate::bearer_scheme::BearerScheme;
use crate::error_formats::{Cripsa, CripsaError};
use crate::operation::routes::fallback;
use crate::operation::{Declaration, document, operations, routes};

/// The document.
#[derive(OpenApi)]
#[openapi(
    info(
        title = "Cripsa Audit Log API",
        description = "Counts, looks up and follows the users of user pools, and updates their attributes.",
        contact(name = "Trailkeeper"),
    ),
    servers((url = "/v1/auditlog")),
    tags((name = "users", description = "User data")),
    components(schemas(CripsaError)),
    modifiers(&BearerScheme),
)]
struct Document;

/// Declares in the schemas of bodies that no other fields are accepted: a misspelt field must not be ignored silently.
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

/// The declared operations of this contract.
pub static OPERATIONS: LazyLock<Vec<Declaration>> = LazyLock::new(|| {
    operations![
        users_count::count_users,
        users_attributes::update_user_attributes,
        users_events::get_user_events,
        users::get_users_by_email,
    ]
});

/// The document, including its operations.
pub fn document() -> OpenApiDocument {
    let mut openapi = Document::openapi();
    document::add(&mut openapi, &OPERATIONS);
    KnownFieldsOnly.modify(&mut openapi);
    openapi
}

/// Adds the routes of this contract.
pub fn configure(config: &mut ServiceConfig) {
    routes::configure::<Cripsa>(config, &OPERATIONS);
    config.service(web::scope("/v1/auditlog").default_service(fallback::<Cripsa>("/openapi/cripsa.json")));
}
