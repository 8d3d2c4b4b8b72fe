//! The error responses of this contract's operations.

use utoipa::IntoResponses;

use crate::documented::errors::{BODY, COMMON, Responses, responses};
use crate::error_formats::Saasus;

/// Error responses of every operation without a body.
pub struct ErrorResponses;
/// Error responses of every operation with a body.
pub struct BodyErrorResponses;
/// Additional error responses of operations about tenants that the caller names.
pub struct TenantErrorResponses;
/// Additional error responses of operations with a list of histories.
pub struct HistoriesErrorResponses;

const SCHEMA: &str = "Error";

impl IntoResponses for ErrorResponses {
    fn responses() -> Responses {
        // The signature of such a request covers no body.
        let codes: &[_] = &["invalid_parameter", "unexpected_body"];
        responses::<Saasus>(SCHEMA, COMMON.into_iter().chain([(400, codes)]))
    }
}

impl IntoResponses for BodyErrorResponses {
    fn responses() -> Responses {
        responses::<Saasus>(SCHEMA, COMMON.into_iter().chain(BODY))
    }
}

impl IntoResponses for TenantErrorResponses {
    fn responses() -> Responses {
        responses::<Saasus>(SCHEMA, [(404, ["tenant_not_found"].as_slice())])
    }
}

impl IntoResponses for HistoriesErrorResponses {
    fn responses() -> Responses {
        responses::<Saasus>(SCHEMA, [(413, ["body_too_large", "too_many_histories"].as_slice())])
    }
}
