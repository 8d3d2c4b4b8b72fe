//! Descriptions of fields, at the position where generators and validators expect them.

use utoipa::openapi::RefOr;
use utoipa::openapi::schema::{AllOf, Components, OneOf, Schema};

/// Moves the description of each field to the field's own schema.
///
/// utoipa describes an inlined field by `allOf` with an empty *object* schema, which allows neither a text nor a number.
/// It describes an optional field inside the `oneOf` of null and the field's type, where generators do not look.
pub fn describe(components: &mut Components) {
    for schema in components.schemas.values_mut() {
        if let RefOr::T(Schema::Object(object)) = schema {
            object.properties.values_mut().for_each(describe_in_place);
        }
    }
}

fn describe_in_place(field: &mut RefOr<Schema>) {
    match field {
        RefOr::T(Schema::AllOf(AllOf { items, .. })) => {
            if let Some(described) = inlined(items) {
                *field = described;
            }
        }
        RefOr::T(Schema::OneOf(OneOf { items, description, .. })) if description.is_none() => {
            *description = items.iter_mut().find_map(|item| match item {
                RefOr::Ref(one) if !one.description.is_empty() => Some(std::mem::take(&mut one.description)),
                _ => None,
            });
        }
        _ => {}
    }
}

/// The inlined schema with the description of the schema after it.
fn inlined(items: &[RefOr<Schema>]) -> Option<RefOr<Schema>> {
    let [inlined, RefOr::T(Schema::Object(describing))] = items else { return None };
    let mut inlined = inlined.clone();
    let description = match &mut inlined {
        RefOr::T(Schema::Object(schema)) => &mut schema.description,
        RefOr::T(Schema::OneOf(schema)) => &mut schema.description,
        RefOr::T(Schema::AnyOf(schema)) => &mut schema.description,
        _ => return None,
    };
    description.clone_from(&describing.description);
    Some(inlined)
}
