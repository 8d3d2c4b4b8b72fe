//! Operations for operators and for services that verify tokens: health, public keys.

mod health;
mod jwks;
mod readiness;

use crate::operation::{Declaration, operations};

/// The operations that the native document describes.
pub fn operations() -> Vec<Declaration> {
    operations![health::healthz, health::readyz, jwks::jwks]
}
