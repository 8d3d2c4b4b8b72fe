//! Parts that the OpenAPI documents of the contracts share: values with their exact schemas, the error responses of an
//! operation, and their headers.

pub mod addresses;
pub mod errors;
pub mod fields;
pub mod headers;
pub mod instants;

use utoipa::openapi::schema::{SchemaFormat, Type};
use utoipa::openapi::{KnownFormat, ObjectBuilder};

/// The pattern of texts without control characters, as `trailkeeper_domain::text` requires.
pub const PRINTABLE: &str = r"^[^\x00-\x1F\x7F-\x9F]*$";
/// The pattern of texts whose only control characters are line feeds, carriage returns and tabs.
const LINES: &str = r"^[^\x00-\x08\x0B\x0C\x0E-\x1F\x7F-\x9F]*$";
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

/// The schema of a text of `min` to `max` characters, which may have several lines and tabs.
pub fn lines(min: usize, max: usize) -> ObjectBuilder {
    patterned(LINES, min, max)
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
