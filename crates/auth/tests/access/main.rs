//! The service over a real SQLite store: what it answers, and what it leaves in the trail.
#![expect(clippy::unwrap_used, reason = "in tests a panic is the failure")]

mod accounts;
mod keys;
mod login;
mod refresh;
mod secrets;
mod signing_keys;
mod tokens;
mod world;
