//! The parts of the crate that need no store: signatures, access tokens, sealing, tokens, passwords, roles.
#![expect(clippy::unwrap_used, reason = "in tests a panic is the failure")]

mod jwt;
mod master_key;
mod passwords;
mod roles;
mod signatures;
mod tokens;
