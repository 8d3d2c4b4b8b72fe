//! The refusals that every operation of this contract has.

use std::collections::BTreeMap;

use utoipa::IntoResponses;
use utoipa::openapi::{RefOr, Response};

use crate::documented::refusals;

/// Of operations without a body.
pub struct ErrorResponses;
/// Of operations with a body.
pub struct BodyErrorResponses;
/// Of operations about tenants that the caller names, besides.
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
