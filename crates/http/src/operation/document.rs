//! Adds declared operations to an OpenAPI document.

use utoipa::openapi::OpenApi;

use super::declaration::Declaration;

/// Adds the operations, and every schema that they refer to.
pub fn add(document: &mut OpenApi, declarations: &[Declaration]) {
    let mut all = Vec::new();
    for declaration in declarations {
        let (method, operation, schemas) = (declaration.document)();
        document.paths.add_path_operation(&declaration.document_path, vec![method], operation);
        all.extend(schemas);
    }
    let components = document.components.get_or_insert_default();
    for (name, schema) in all {
        components.schemas.entry(name).or_insert(schema);
    }
}
