//! Concurrent operations through two servers, on SQLite and on PostgreSQL, where the result depends on locks. Run with
//! `scripts/with-postgres`.
#![expect(clippy::unwrap_used, clippy::indexing_slicing, reason = "in tests a panic is the failure")]

mod accounts;
mod api_tokens;
mod cursor_key;
mod refresh;
mod token_keys;
mod world;
