//! The service over a real store: its results, and its audit events.
#![expect(clippy::unwrap_used, reason = "in tests a panic is the failure")]

mod account_change;
mod accounts;
mod changed_credentials;
mod feed_cursors;
mod housekeeping;
mod keys;
mod login;
mod master_keys;
mod own_password;
mod refresh;
mod refresh_grace;
mod refresh_lost_answer;
mod rehash;
mod sealed_cursors;
mod secrets;
mod session_end;
mod sessions;
mod signing_keys;
mod streams;
mod throttle;
mod timing;
mod token_keys;
mod tokens;
mod world;
