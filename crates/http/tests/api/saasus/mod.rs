//! The SaaSus contract.

mod active_users;
mod behavior;
mod document;
mod errors;
mod metrics;
pub mod signature;
