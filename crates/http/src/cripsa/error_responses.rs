//! The refusals that operations of this contract have.

use std::collections::BTreeMap;

use utoipa::IntoResponses;
use utoipa::openapi::{RefOr, Response};

use crate::documented::refusals;

/// Of every operation.
pub struct ErrorResponses;
/// Of operations on the one user with an e-mail address.
pub struct UserErrorResponses;
/// Of operations with a body.
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
