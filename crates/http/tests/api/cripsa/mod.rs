//! The Cripsa contract.

mod errors;
mod events;
mod users;
