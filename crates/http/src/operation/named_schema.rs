//! A schema together with its name.

use utoipa::ToSchema;
use utoipa::openapi::{RefOr, Schema};

/// A schema of a document's components, with its name.
pub type NamedSchema = (String, RefOr<Schema>);

/// Adds the schema `S`, and the schemas that it refers to.
pub fn add<S: ToSchema>(schemas: &mut Vec<NamedSchema>) {
    schemas.push((S::name().into_owned(), S::schema()));
    S::schemas(schemas);
}
