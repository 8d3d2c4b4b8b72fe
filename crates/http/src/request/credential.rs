//! Fields of bodies with a name, a password or a token. Errors never show their values.

use trailkeeper_domain::json::{JsonObject, JsonValue};
use trailkeeper_domain::{Error, Result};

/// The longest name, password or token, in bytes. A longer text cannot be a valid credential, and hashing it would take
/// time.
pub const MAX_CREDENTIAL_BYTES: usize = 1024;

/// A field that must be sent.
pub fn required(json: &mut JsonObject, field: &str) -> Result<String> {
    optional(json, field)?.ok_or_else(|| Error::invalid(field, "is missing; send it as a text"))
}

/// A field that may be absent.
pub fn optional(json: &mut JsonObject, field: &str) -> Result<Option<String>> {
    match json.take(field) {
        None => Ok(None),
        Some(JsonValue::Text(value)) if (1..=MAX_CREDENTIAL_BYTES).contains(&value.len()) => Ok(Some(value)),
        Some(JsonValue::Text(value)) => {
            Err(Error::invalid(field, format!("has {} bytes; send 1 to {MAX_CREDENTIAL_BYTES}", value.len())))
        }
        Some(_) => Err(Error::invalid(field, "is not a text; send it in quotes")),
    }
}
