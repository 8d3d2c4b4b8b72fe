//! JSON bodies: one struct defines the names, the schema and the reading.

use trailkeeper_domain::Result;
use trailkeeper_domain::json::JsonObject;
use utoipa::ToSchema;
use utoipa::openapi::request_body::{RequestBody, RequestBodyBuilder};
use utoipa::openapi::{ContentBuilder, Ref, Required};

use super::named_schema::{self, NamedSchema};
use super::params::ParamValue;

/// The default size limit of a body, in bytes: enough for a few short fields.
const MAX_BYTES: usize = 64 * 1024;

/// The struct of a JSON object. `#[derive(Body)]` implements it.
pub trait Body {
    /// The type that the handler receives: the struct itself, or a draft of the domain that the struct describes.
    type Parsed;
    /// The noun for the body in error messages, with its article: "an account".
    const NAME: &'static str;
    /// The names of the fields, in the order of the documentation.
    const FIELDS: &'static [&'static str];
    /// The largest accepted body, in bytes.
    const MAX_BYTES: usize = MAX_BYTES;
    /// Whether a missing body is the same as an empty object.
    const OPTIONAL: bool = false;
    /// Whether `null` is the same as an empty object, and field names may have any case.
    const ANY_CASE: bool = false;

    /// Reads the body. [`trailkeeper_domain::Error::Invalid`] names the field.
    fn read(json: JsonObject) -> Result<Self::Parsed>;

    /// Reads the body from the bytes of a request.
    fn from_bytes(bytes: &[u8]) -> Result<Self::Parsed> {
        let is_empty = match bytes.trim_ascii() {
            b"" => Self::OPTIONAL,
            b"null" => Self::OPTIONAL && Self::ANY_CASE,
            _ => false,
        };
        let json = JsonObject::parse(Self::NAME, if is_empty { b"{}" } else { bytes })?;
        Self::read(if Self::ANY_CASE { json.regardless_of_case(Self::FIELDS)? } else { json })
    }
}

/// Whether two lists contain the same names in the same order.
#[expect(clippy::indexing_slicing, reason = "the compiler runs it, and the indices are below the lengths")]
pub const fn same_names(one: &[&str], other: &[&str]) -> bool {
    if one.len() != other.len() {
        return false;
    }
    let mut index = 0;
    while index < one.len() {
        let (a, b) = (one[index].as_bytes(), other[index].as_bytes());
        if a.len() != b.len() {
            return false;
        }
        let mut at = 0;
        while at < a.len() {
            if a[at] != b[at] {
                return false;
            }
            at += 1;
        }
        index += 1;
    }
    true
}

/// The description of a body in the OpenAPI document.
pub struct BodySpec {
    /// The names of the body's fields.
    pub fields: &'static [&'static str],
    /// `None` if `request_body(…)` documents the body.
    description: Option<&'static str>,
    optional: bool,
    name: fn() -> String,
    schemas: fn(&mut Vec<NamedSchema>),
    /// Reads bytes and discards the result, for tests of the document's example.
    pub check: fn(&[u8]) -> Result<()>,
}

impl BodySpec {
    /// The body `B`, with its description unless `request_body(…)` documents it.
    pub fn of<B: Body + ToSchema>(description: Option<&'static str>) -> Self {
        Self {
            fields: B::FIELDS,
            description,
            optional: B::OPTIONAL,
            name: || B::name().into_owned(),
            schemas: named_schema::add::<B>,
            check: |bytes| B::from_bytes(bytes).map(drop),
        }
    }

    /// The OpenAPI object of the body; its schemas join `schemas`. `None` if `request_body(…)` documents the body.
    pub fn request_body(&self, schemas: &mut Vec<NamedSchema>) -> Option<RequestBody> {
        let description = self.description?;
        (self.schemas)(schemas);
        let content = ContentBuilder::new().schema(Some(Ref::from_schema_name((self.name)()))).build();
        let body = RequestBodyBuilder::new()
            .description(Some(description))
            .content("application/json", content)
            .required(Some(if self.optional { Required::False } else { Required::True }));
        Some(body.build())
    }
}

/// A type that a field of a body can have.
pub trait BodyField: Sized {
    /// The expected value, for the error message of a wrong one: completes "send …".
    const EXPECTED: &'static str;

    /// Removes the field from `json` and reads it; `None` if it is absent or null.
    fn take(json: &mut JsonObject, name: &str, expected: &str) -> Result<Option<Self>>;
}

macro_rules! parsed {
    ($($type:ty),+ $(,)?) => {
        $(
            impl BodyField for $type {
                const EXPECTED: &'static str = <Self as ParamValue>::EXPECTED;

                fn take(json: &mut JsonObject, name: &str, expected: &str) -> Result<Option<Self>> {
                    json.parsed(name, expected, <Self as ParamValue>::parse)
                }
            }
        )+
    };
}

parsed! {
    trailkeeper_domain::account::Role,
    trailkeeper_domain::event::EventKind,
    trailkeeper_domain::id::TenantId,
    trailkeeper_domain::id::UserId,
    trailkeeper_domain::time::Timestamp,
}

impl BodyField for String {
    const EXPECTED: &'static str = <Self as ParamValue>::EXPECTED;

    fn take(json: &mut JsonObject, name: &str, expected: &str) -> Result<Option<Self>> {
        json.text(name, expected)
    }
}

impl BodyField for bool {
    const EXPECTED: &'static str = <Self as ParamValue>::EXPECTED;

    fn take(json: &mut JsonObject, name: &str, _: &str) -> Result<Option<Self>> {
        json.boolean(name)
    }
}

impl BodyField for u32 {
    const EXPECTED: &'static str = "a whole number";

    fn take(json: &mut JsonObject, name: &str, _: &str) -> Result<Option<Self>> {
        json.unsigned(name)
    }
}

/// The new value of a field in a request that changes a record.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Patch<T> {
    /// The field is absent: the value stays.
    Keep,
    /// The field is null: the value is removed.
    Clear,
    /// The field has a new value.
    Set(T),
}

impl<T> Patch<T> {
    /// The change as nested options: `None` to keep, `Some(None)` to clear, `Some(Some(value))` to set.
    #[expect(clippy::option_option, reason = "the use cases take the three cases of a change so")]
    pub fn into_option(self) -> Option<Option<T>> {
        match self {
            Self::Keep => None,
            Self::Clear => Some(None),
            Self::Set(value) => Some(Some(value)),
        }
    }
}

/// Removes a required field from `json` and reads it. It must be present and not null.
pub fn required<T: BodyField>(json: &mut JsonObject, name: &str, expected: &str) -> Result<T> {
    json.required(name, expected, T::take)
}

/// Removes a field from `json` and reads it. It may be absent or null.
pub fn optional<T: BodyField>(json: &mut JsonObject, name: &str, expected: &str) -> Result<Option<T>> {
    T::take(json, name, expected)
}

/// Removes a field of a change from `json` and reads it as a [`Patch`].
pub fn patch<T: BodyField>(json: &mut JsonObject, name: &str, expected: &str) -> Result<Patch<T>> {
    let is_null = json.is_null(name);
    let value = T::take(json, name, expected)?;
    Ok(match value {
        Some(value) => Patch::Set(value),
        None if is_null => Patch::Clear,
        None => Patch::Keep,
    })
}
