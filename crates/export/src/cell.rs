//! The values of columns.

use std::borrow::Cow;

use serde_json::Value;
use serde_json::value::RawValue;
use trailkeeper_domain::time::Timestamp;
use trailkeeper_domain::{Error, Result};
use uuid::Uuid;

/// The type of a column.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// A text.
    Text,
    /// A whole number.
    Integer,
    /// True or false.
    Boolean,
    /// An instant, exact to the microsecond.
    Time,
    /// A UUID.
    Uuid,
    /// A JSON value, as compact text.
    Json,
}

/// The value of a column in one row. Every column may be empty.
#[derive(Debug, Clone, PartialEq)]
pub enum Cell<'a> {
    /// No value.
    Empty,
    /// A text.
    Text(Cow<'a, str>),
    /// A whole number.
    Integer(i64),
    /// True or false.
    Boolean(bool),
    /// An instant.
    Time(Timestamp),
    /// A UUID.
    Uuid(Uuid),
    /// Compact JSON.
    Json(Cow<'a, str>),
}

impl<'a> Cell<'a> {
    /// The text, or no value.
    pub fn text(value: Option<&'a str>) -> Self {
        value.map_or(Self::Empty, |text| Self::Text(Cow::Borrowed(text)))
    }

    /// The JSON of a value.
    pub fn json(value: &Value) -> Self {
        Self::Json(Cow::Owned(value.to_string()))
    }

    /// Appends the value as JSON.
    pub(crate) fn write_json(&self, out: &mut Vec<u8>) -> Result<()> {
        match self {
            Self::Empty => out.extend(b"null"),
            Self::Text(text) => serde_json::to_writer(&mut *out, text).map_err(Error::internal)?,
            Self::Integer(number) => serde_json::to_writer(&mut *out, number).map_err(Error::internal)?,
            Self::Boolean(truth) => serde_json::to_writer(&mut *out, truth).map_err(Error::internal)?,
            Self::Time(time) => serde_json::to_writer(&mut *out, time).map_err(Error::internal)?,
            Self::Uuid(id) => serde_json::to_writer(&mut *out, &id.to_string()).map_err(Error::internal)?,
            Self::Json(json) => {
                // A line is one object: text that is no JSON would break the lines behind it.
                let raw: &RawValue = serde_json::from_str(json).map_err(Error::internal)?;
                out.extend(raw.get().as_bytes());
            }
        }
        Ok(())
    }
}
