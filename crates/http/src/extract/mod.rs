//! Callers: who sends a request, with which credential, and whether its limits and permissions allow it.

pub mod admission;
pub mod anyone;
pub mod caller;
