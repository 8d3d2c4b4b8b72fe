//! The error responses of this contract's operations.

use std::collections::BTreeMap;

use utoipa::IntoResponses;
use utoipa::openapi::{RefOr, Response};

use crate::documented::refusals;

/// Error responses of every operation.
pub struct ErrorResponses;
/// Error responses of operations on the only user with an e-mail address.
pub struct UserErrorResponses;
/// Error responses of operations with a body.
pub struct BodyErrorResponses;

impl IntoResponses for ErrorResponses {
    fn responses() -> BTreeMap<String, RefOr<Response>> {
        refusals("CripsaError", &[400, 401, 403, 429, 500, 503])
    }
}

impl IntoResponses for UserErrorResponses {
    fn responses() -> BTreeMap<String, RefOr<Response>> {
        refusals("CripsaError", &[404, 409])
    }
}

impl IntoResponses for BodyErrorResponses {
    fn responses() -> BTreeMap<String, RefOr<Response>> {
        refusals("CripsaError", &[413])
    }
}
