//! The security scheme of the OpenAPI documents.

use utoipa::Modify;
use utoipa::openapi::OpenApi;
use utoipa::openapi::security::{HttpAuthScheme, HttpBuilder, SecurityScheme};

/// Adds the security scheme `Bearer` to a document. Every document has it.
pub struct BearerScheme;

impl Modify for BearerScheme {
    fn modify(&self, openapi: &mut OpenApi) {
        let scheme = HttpBuilder::new()
            .scheme(HttpAuthScheme::Bearer)
            .description(Some(
                "The `access_token` that `POST /v1/sessions` returns for e-mail and password, or an API token of \
                 `POST /v1/tokens` or `trailkeeper token create`.",
            ))
            .build();
        openapi.components.get_or_insert_default().add_security_scheme("Bearer", SecurityScheme::Http(scheme));
    }
}
