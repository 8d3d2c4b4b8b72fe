//! Extractors for callers: they authenticate the sender of a request and check its rate limits and permissions.

pub mod admission;
pub mod anyone;
pub mod caller;
pub mod lasting;
