//! The native API, by resource.

mod accounts;
mod analytics;
mod attribute_changes;
mod errors;
mod events;
mod legal_holds;
mod memberships;
mod otlp;
mod retention;
mod sessions;
mod signing_keys;
mod streams;
mod tenants;
mod tokens;
mod users;
