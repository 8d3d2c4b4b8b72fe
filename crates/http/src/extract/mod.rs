//! From requests to typed values: the caller, its address, the tenant, parameters and bodies.

pub mod admission;
pub mod anyone;
pub mod body;
pub mod caller;
pub mod credential;
pub mod origin;
pub mod path;
pub mod query;
