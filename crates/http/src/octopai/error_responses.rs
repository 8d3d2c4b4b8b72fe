//! The error responses of this contract's operations. Its errors have no codes.

use utoipa::IntoResponses;

use crate::documented::errors::{Responses, responses};
use crate::error_formats::Octopai;

/// Error responses of operations without a credential. A 401 is not among them: it has the shape of a login's answer.
pub struct LoginErrorResponses;
/// Error responses of operations with a credential.
pub struct ErrorResponses;

const SCHEMA: &str = "Error";

impl IntoResponses for LoginErrorResponses {
    fn responses() -> Responses {
        responses::<Octopai>(SCHEMA, [400, 413, 429, 500, 503].map(|status| (status, [].as_slice())))
    }
}

impl IntoResponses for ErrorResponses {
    fn responses() -> Responses {
        responses::<Octopai>(SCHEMA, [400, 401, 403, 413, 429, 500, 503].map(|status| (status, [].as_slice())))
    }
}
