//! Adds declared operations to an OpenAPI document.

use utoipa::openapi::{OpenApi, RefOr};

use super::access::Requirement;
use super::declaration::Declaration;
use crate::documented::{errors, fields, headers};

/// Adds the operations, and every component that they refer to.
pub fn add(document: &mut OpenApi, declarations: &[Declaration]) {
    let mut all = Vec::new();
    for declaration in declarations {
        let (method, mut operation, schemas) = (declaration.document)();
        if declaration.access.requirement == Requirement::Nothing {
            // An empty list overrides the document's own. A list with an empty requirement, which utoipa writes, is for
            // operations with an optional credential.
            operation.security = Some(Vec::new());
        }
        for (status, response) in &mut operation.responses.responses {
            if let RefOr::T(response) = response {
                headers::refer(status, response);
            }
        }
        errors::list(&mut operation);
        document.paths.add_path_operation(&declaration.document_path, vec![method], operation);
        all.extend(schemas);
    }
    let components = document.components.get_or_insert_default();
    for (name, schema) in all {
        components.schemas.entry(name).or_insert(schema);
    }
    headers::add(components);
    fields::describe(components);
}
