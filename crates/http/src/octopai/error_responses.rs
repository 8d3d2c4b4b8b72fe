//! The error responses of this contract's operations.

use std::collections::BTreeMap;

use utoipa::IntoResponses;
use utoipa::openapi::{RefOr, Response};

use crate::documented::refusals;

/// Error responses of operations without a credential. A 401 is not among them: it has the shape of a login's answer.
pub struct LoginErrorResponses;
/// Error responses of operations with a credential.
pub struct ErrorResponses;

impl IntoResponses for LoginErrorResponses {
    fn responses() -> BTreeMap<String, RefOr<Response>> {
        refusals("OctopaiError", &[400, 413, 429, 500, 503])
    }
}

impl IntoResponses for ErrorResponses {
    fn responses() -> BTreeMap<String, RefOr<Response>> {
        refusals("OctopaiError", &[400, 401, 403, 413, 429, 500, 503])
    }
}
