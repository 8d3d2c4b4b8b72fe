//! Parts that the OpenAPI documents of the published contracts share: values with their exact schemas, and the error
//! responses of an operation with status, reason and shape.

use std::collections::BTreeMap;

use utoipa::openapi::header::HeaderBuilder;
use utoipa::openapi::schema::{Schema, SchemaFormat, Type};
use utoipa::openapi::{ContentBuilder, KnownFormat, ObjectBuilder, Ref, RefOr, Response, ResponseBuilder};

/// The pattern of texts without control characters, as `trailkeeper_domain::text` requires.
pub const PRINTABLE: &str = r"^[^\x00-\x1F\x7F-\x9F]*$";
/// The pattern of a day `YYYY-MM-DD` from 1970 on.
pub const DAY: &str = r"^(19[7-9][0-9]|[2-9][0-9]{3})-(0[1-9]|1[0-2])-(0[1-9]|[12][0-9]|3[01])$";
/// The pattern of a month `YYYY-MM` or a day `YYYY-MM-DD` from 1970 on.
pub const DAY_OR_MONTH: &str = r"^(19[7-9][0-9]|[2-9][0-9]{3})-(0[1-9]|1[0-2])(-(0[1-9]|[12][0-9]|3[01]))?$";

/// Declares types that consist only of a name and a schema, for `value_type = …`.
macro_rules! values {
    ($($(#[$doc:meta])* $name:ident = $schema:expr;)+) => {
        $(
            $(#[$doc])*
            pub struct $name;

            impl utoipa::PartialSchema for $name {
                fn schema() -> utoipa::openapi::RefOr<utoipa::openapi::schema::Schema> {
                    utoipa::openapi::RefOr::T(utoipa::openapi::schema::Schema::from($schema))
                }
            }

            impl utoipa::ToSchema for $name {
                fn name() -> std::borrow::Cow<'static, str> {
                    std::borrow::Cow::Borrowed(stringify!($name))
                }
            }
        )+
    };
}
pub(crate) use values;

/// The schema of a text of `min` to `max` characters that matches `pattern`.
pub fn patterned(pattern: &str, min: usize, max: usize) -> ObjectBuilder {
    string().pattern(Some(pattern)).min_length(Some(min)).max_length(Some(max))
}

/// The schema of a text of `min` to `max` characters without control characters.
pub fn text(min: usize, max: usize) -> ObjectBuilder {
    patterned(PRINTABLE, min, max)
}

/// The schema of a text in a format that OpenAPI defines.
pub fn formatted(format: KnownFormat) -> ObjectBuilder {
    string().format(Some(SchemaFormat::KnownFormat(format)))
}

/// The schema of a text that is one of these names.
pub fn one_of<const N: usize>(names: [&'static str; N]) -> ObjectBuilder {
    string().enum_values(Some(names))
}

/// The schema of a whole number from `min` to `max`.
pub fn integer(format: KnownFormat, min: i64, max: i64) -> ObjectBuilder {
    ObjectBuilder::new()
        .schema_type(Type::Integer)
        .format(Some(SchemaFormat::KnownFormat(format)))
        .minimum(Some(min))
        .maximum(Some(max))
}

fn string() -> ObjectBuilder {
    ObjectBuilder::new().schema_type(Type::String)
}

/// The error responses for these statuses. Each has a body of the component `schema`, as JSON.
///
/// The caller must add the schema to the document's components; this function does not check it.
pub fn refusals(schema: &str, statuses: &[u16]) -> BTreeMap<String, RefOr<Response>> {
    statuses.iter().map(|status| (status.to_string(), RefOr::T(refusal(schema, *status)))).collect()
}

fn refusal(schema: &str, status: u16) -> Response {
    let content = ContentBuilder::new().schema(Some(Ref::from_schema_name(schema))).build();
    let response = ResponseBuilder::new().description(reason(status)).content("application/json", content);
    if matches!(status, 429 | 503) {
        let seconds = Schema::from(ObjectBuilder::new().schema_type(Type::Integer).minimum(Some(1)));
        let header =
            HeaderBuilder::new().schema(Some(seconds)).description(Some("Seconds until another attempt makes sense."));
        return response.header("Retry-After", header.build()).build();
    }
    response.build()
}

fn reason(status: u16) -> &'static str {
    match status {
        400 => "The input is wrong; the message names the field and the way out.",
        401 => "There is no credential, or it does not hold.",
        403 => "The credential does not allow this.",
        404 => "There is no such thing, or the credential may not know of it.",
        409 => "It contradicts what is stored.",
        413 => "More than a limit allows; the message names the limit.",
        429 => "Too many attempts; try again after `Retry-After` seconds.",
        503 => "The database or the disk cannot serve now, or the server is overloaded; nothing was stored.",
        _ => "The server failed; its log tells why under the request's id.",
    }
}
