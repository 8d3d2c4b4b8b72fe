//! The parts of a request as typed values: parameters, body, credentials in bodies, and origin.

pub mod body;
pub mod credential;
pub mod origin;
pub mod path;
pub mod query;
