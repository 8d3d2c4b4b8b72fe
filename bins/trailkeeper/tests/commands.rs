//! The commands of the program, run as a user runs them.

#![expect(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    reason = "a test helper fails by panicking, as the test itself does"
)]

#[path = "commands/access.rs"]
mod access;
#[path = "commands/audit.rs"]
mod audit;
#[path = "commands/backup.rs"]
mod backup;
#[path = "commands/config.rs"]
mod config;
#[path = "commands/connections.rs"]
mod connections;
#[path = "commands/export.rs"]
mod export;
#[path = "commands/import.rs"]
mod import;
#[path = "commands/import_identity.rs"]
mod import_identity;
#[path = "commands/keys.rs"]
mod keys;
#[path = "commands/openapi.rs"]
mod openapi;
#[path = "commands/pages.rs"]
mod pages;
#[path = "commands/retention.rs"]
mod retention;
#[path = "commands/serve.rs"]
mod serve;
#[path = "commands/sheets.rs"]
mod sheets;
#[path = "commands/support.rs"]
mod support;
