//! What depends on how transactions wait for one another, on SQLite and on PostgreSQL: run it under
//! `scripts/with-postgres`.
#![expect(clippy::unwrap_used, clippy::indexing_slicing, reason = "in tests a panic is the failure")]

mod accounts;
mod api_tokens;
mod refresh;
mod token_keys;
mod world;
