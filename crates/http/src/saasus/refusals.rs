//! The refusals that every operation of this contract has.

use std::collections::BTreeMap;

use utoipa::IntoResponses;
use utoipa::openapi::{RefOr, Response};

use crate::documented::refusals;

/// Of operations without a body.
pub struct Refusals;
/// Of operations with a body.
pub struct BodyRefusals;
/// Of operations about tenants that the caller names, besides.
pub struct TenantRefusals;

impl IntoResponses for Refusals {
    fn responses() -> BTreeMap<String, RefOr<Response>> {
        refusals("Error", &[400, 401, 403, 429, 500, 503])
    }
}

impl IntoResponses for BodyRefusals {
    fn responses() -> BTreeMap<String, RefOr<Response>> {
        refusals("Error", &[400, 401, 403, 413, 429, 500, 503])
    }
}

impl IntoResponses for TenantRefusals {
    fn responses() -> BTreeMap<String, RefOr<Response>> {
        refusals("Error", &[404])
    }
}
