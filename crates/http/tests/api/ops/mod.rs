//! Health, readiness and public keys.

mod health;
pub mod jwks;
mod readiness;
