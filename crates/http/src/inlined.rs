//! Descriptions of fields with an inlined schema, moved to the position that readers and validators expect.

use utoipa::Modify;
use utoipa::openapi::schema::{AllOf, Schema};
use utoipa::openapi::{OpenApi, RefOr};

/// Moves the description of an inlined field into the field's own schema.
///
/// utoipa adds the description by `allOf` with an empty *object* schema. A string or a number is no object, so that schema
/// would allow no value at all.
pub struct InlinedFields;

impl Modify for InlinedFields {
    fn modify(&self, openapi: &mut OpenApi) {
        let schemas = openapi.components.iter_mut().flat_map(|components| components.schemas.values_mut());
        for schema in schemas {
            if let RefOr::T(Schema::Object(object)) = schema {
                object.properties.values_mut().for_each(describe_in_place);
            }
        }
    }
}

fn describe_in_place(field: &mut RefOr<Schema>) {
    let RefOr::T(Schema::AllOf(AllOf { items, .. })) = field else { return };
    let [inlined, RefOr::T(Schema::Object(describing))] = items.as_slice() else { return };
    let mut inlined = inlined.clone();
    let description = match &mut inlined {
        RefOr::T(Schema::Object(schema)) => &mut schema.description,
        RefOr::T(Schema::OneOf(schema)) => &mut schema.description,
        RefOr::T(Schema::AnyOf(schema)) => &mut schema.description,
        _ => return,
    };
    description.clone_from(&describing.description);
    *field = inlined;
}
