//! The native API, by resource.

mod accounts;
mod analytics;
mod attribute_changes;
mod errors;
mod events;
mod memberships;
mod sessions;
mod signing_keys;
mod tenants;
mod tokens;
mod users;
