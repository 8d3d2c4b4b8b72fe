//! The refusals that operations of this contract have.

use std::collections::BTreeMap;

use utoipa::IntoResponses;
use utoipa::openapi::{RefOr, Response};

use crate::documented::refusals;

/// Of every operation.
pub struct Refusals;
/// Of operations on the one user with an e-mail address.
pub struct UserRefusals;
/// Of operations with a body.
pub struct BodyRefusals;

impl IntoResponses for Refusals {
    fn responses() -> BTreeMap<String, RefOr<Response>> {
        refusals("CripsaError", &[400, 401, 403, 429, 500, 503])
    }
}

impl IntoResponses for UserRefusals {
    fn responses() -> BTreeMap<String, RefOr<Response>> {
        refusals("CripsaError", &[404, 409])
    }
}

impl IntoResponses for BodyRefusals {
    fn responses() -> BTreeMap<String, RefOr<Response>> {
        refusals("CripsaError", &[413])
    }
}
