//! Routes of operations that are not declared yet.

pub use crate::operation::routes::{fallback, resource as endpoint};
