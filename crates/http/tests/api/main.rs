//! The HTTP API, from outside.
#![expect(clippy::unwrap_used, clippy::indexing_slicing, reason = "a test fails by panicking, helpers included")]

mod contract_access;
mod contract_examples;
mod contracts;
mod cripsa_errors;
mod cripsa_events;
mod cripsa_users;
mod documents;
mod native_access;
mod native_confinement;
mod native_errors;
mod native_event_bodies;
mod native_event_lists;
mod native_event_pages;
mod native_events;
mod native_memberships;
mod native_source;
mod native_tenants;
mod native_users;
mod octopai_login;
mod octopai_user_events;
mod operations;
mod saasus_active_users;
mod saasus_behavior;
mod saasus_document;
mod saasus_errors;
mod saasus_metrics;
mod saasus_signature;
mod support;
