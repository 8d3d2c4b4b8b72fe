//! The error responses of this contract's operations.

use std::collections::BTreeMap;

use utoipa::IntoResponses;
use utoipa::openapi::{RefOr, Response};

use crate::documented::refusals;

/// Error responses of every operation without a body.
pub struct ErrorResponses;
/// Error responses of every operation with a body.
pub struct BodyErrorResponses;
/// Additional error responses of operations about tenants that the caller names.
pub struct TenantErrorResponses;

impl IntoResponses for ErrorResponses {
    fn responses() -> BTreeMap<String, RefOr<Response>> {
        refusals("Error", &[400, 401, 403, 429, 500, 503])
    }
}

impl IntoResponses for BodyErrorResponses {
    fn responses() -> BTreeMap<String, RefOr<Response>> {
        refusals("Error", &[400, 401, 403, 413, 429, 500, 503])
    }
}

impl IntoResponses for TenantErrorResponses {
    fn responses() -> BTreeMap<String, RefOr<Response>> {
        refusals("Error", &[404])
    }
}
