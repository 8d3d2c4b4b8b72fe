//! The Octopai contract.

mod credentials;
mod login;
mod user_events;
