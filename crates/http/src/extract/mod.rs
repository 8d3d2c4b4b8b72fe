//! From requests to typed values: who asks, from where, what.

pub mod body;
pub mod caller;
pub mod origin;
pub mod path;
pub mod query;
pub mod tenancy;
