//! A schema together with its name.

use utoipa::openapi::{RefOr, Schema};

/// A schema of a document's components, with its name.
pub type NamedSchema = (String, RefOr<Schema>);
