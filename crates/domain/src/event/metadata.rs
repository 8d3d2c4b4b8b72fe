//! Metadata of events: a JSON object, kept as a text so that its numbers keep their digits.

use serde::ser::Error as _;
use serde::{Serialize, Serializer};
use serde_json::value::RawValue;
use serde_json::{Map, Value};

use crate::error::{Error, Result};
use crate::json::{JsonObject, JsonValue, Token, Walk, canonical, compact, written_out};

/// The largest metadata, in bytes of compact JSON whose numbers are written without an exponent.
pub const MAX_METADATA_BYTES: usize = 16 * 1024;

/// The deepest nesting of metadata, in levels. Every JSON reader downstream accepts this depth.
const MAX_METADATA_DEPTH: usize = 32;

/// Further data of an event: a JSON object as compact text.
///
/// Two of them are equal if they are the same JSON by value: the order of keys and the way in which a number is written
/// do not matter, but its last digit does.
#[derive(Debug, Clone)]
pub struct Metadata(String);

impl Metadata {
    /// The metadata in a text. [`Error::Invalid`] for `metadata` if the text is not a JSON object.
    ///
    /// ```
    /// use trailkeeper_domain::event::Metadata;
    ///
    /// let metadata = Metadata::parse("{ \"rate\": 3.14159265358979323846 }")?;
    /// assert_eq!(metadata.as_str(), "{\"rate\":3.14159265358979323846}");
    /// # Ok::<(), trailkeeper_domain::Error>(())
    /// ```
    pub fn parse(text: &str) -> Result<Self> {
        match serde_json::from_str::<&RawValue>(text) {
            Ok(json) if json.get().starts_with('{') => Ok(Self::of_object(json.get())),
            Ok(_) => Err(Error::invalid("metadata", "is not a JSON object")),
            Err(error) => Err(Error::invalid("metadata", format!("is not JSON: {error}"))),
        }
    }

    /// The metadata in a text that is known to be a JSON object.
    pub(super) fn of_object(json: &str) -> Self {
        Self(compact(json))
    }

    /// The compact JSON.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// Whether it has no entry.
    pub fn is_empty(&self) -> bool {
        self.0 == "{}"
    }

    /// The text of the entry `key`; `None` if there is no such entry, or if it is no text.
    pub fn text(&self, key: &str) -> Option<String> {
        match JsonObject::parse("metadata", self.0.as_bytes()).ok()?.take(key) {
            Some(JsonValue::Text(text)) => Some(text),
            _ => None,
        }
    }

    /// Checks that both databases can store it and that readers can read it. [`Error::Invalid`] for `metadata`.
    pub(super) fn check(&self) -> Result<()> {
        let too_large = |size: usize| {
            Error::invalid(
                "metadata",
                format!(
                    "has {size} bytes as compact JSON with numbers written without an exponent; at most {MAX_METADATA_BYTES} are allowed"
                ),
            )
        };
        if self.0.len() > MAX_METADATA_BYTES {
            return Err(too_large(self.0.len()));
        }
        let (mut size, mut depth) = (self.0.len(), 0_usize);
        for token in Walk::new(&self.0) {
            match token {
                Token::Open => depth += 1,
                Token::Close => depth = depth.saturating_sub(1),
                Token::Text(written) => storable(written)?,
                // PostgreSQL writes numbers out. This bounds the size of its answers, and keeps to the limits of its
                // numbers.
                Token::Number(written) => {
                    size = size.saturating_add(written_out(written).saturating_sub(written.len()));
                }
                Token::Literal(_) | Token::Separator => {}
            }
            if depth > MAX_METADATA_DEPTH {
                return Err(Error::invalid(
                    "metadata",
                    format!("nests deeper than {MAX_METADATA_DEPTH} levels; flatten it"),
                ));
            }
        }
        if size > MAX_METADATA_BYTES { Err(too_large(size)) } else { Ok(()) }
    }
}

/// Rejects texts and keys that PostgreSQL's `jsonb` cannot store.
fn storable(written: &str) -> Result<()> {
    match JsonValue::of(written) {
        JsonValue::Text(text) if text.contains('\0') => {
            Err(Error::invalid("metadata", "contains a NUL character (\\u0000); remove it"))
        }
        JsonValue::Text(_) => Ok(()),
        other => Err(Error::invalid("metadata", format!("contains {}, which is no Unicode", other.shown()))),
    }
}

impl From<Map<String, Value>> for Metadata {
    fn from(entries: Map<String, Value>) -> Self {
        Self(Value::Object(entries).to_string())
    }
}

impl FromIterator<(String, Value)> for Metadata {
    fn from_iter<I: IntoIterator<Item = (String, Value)>>(entries: I) -> Self {
        Self::from(Map::from_iter(entries))
    }
}

impl PartialEq for Metadata {
    fn eq(&self, other: &Self) -> bool {
        self.0 == other.0 || canonical(&self.0) == canonical(&other.0)
    }
}

impl Serialize for Metadata {
    /// Writes the JSON itself. Only a serializer of `serde_json` can do that.
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serde_json::from_str::<&RawValue>(&self.0).map_err(S::Error::custom)?.serialize(serializer)
    }
}
