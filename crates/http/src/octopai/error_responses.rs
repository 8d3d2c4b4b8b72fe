//! The refusals that operations of this contract have.

use std::collections::BTreeMap;

use utoipa::IntoResponses;
use utoipa::openapi::{RefOr, Response};

use crate::documented::refusals;

/// Of operations without a credential: what is refused with 401 has the shape of a login.
pub struct LoginErrorResponses;
/// Of operations with a credential.
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
