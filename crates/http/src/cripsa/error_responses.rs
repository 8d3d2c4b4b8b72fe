//! The error responses of this contract's operations.

use utoipa::IntoResponses;

use crate::documented::errors::{COMMON, Responses, responses};
use crate::error_formats::Cripsa;

/// Error responses of every operation.
pub struct ErrorResponses;
/// Error responses of operations on the only user with an e-mail address.
pub struct UserErrorResponses;
/// Additional error responses of operations that change a user.
pub struct ChangeErrorResponses;

const SCHEMA: &str = "Error";

impl IntoResponses for ErrorResponses {
    fn responses() -> Responses {
        responses::<Cripsa>(SCHEMA, COMMON)
    }
}

impl IntoResponses for UserErrorResponses {
    fn responses() -> Responses {
        responses::<Cripsa>(SCHEMA, [(404, ["user_not_found"].as_slice()), (409, &["ambiguous_user"])])
    }
}

impl IntoResponses for ChangeErrorResponses {
    fn responses() -> Responses {
        responses::<Cripsa>(SCHEMA, [(409, ["ambiguous_user", "alias_exists"].as_slice()), (413, &["body_too_large"])])
    }
}
