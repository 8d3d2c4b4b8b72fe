//! Fields of bodies that hold a name, password or token. What was typed there is never shown in an error.

use serde_json::Value;
use trailkeeper_domain::json::JsonObject;
use trailkeeper_domain::{Error, Result};

/// The longest name, password or token, in bytes. What is longer is no credential of ours, and hashing it would
/// cost time.
pub const MAX_CREDENTIAL_BYTES: usize = 1024;

/// The field, which must be there.
pub fn required(json: &mut JsonObject, field: &str) -> Result<String> {
    optional(json, field)?.ok_or_else(|| Error::invalid(field, "is missing; send it as a text"))
}

/// The field, where it was sent.
pub fn optional(json: &mut JsonObject, field: &str) -> Result<Option<String>> {
    match json.take(field) {
        None => Ok(None),
        Some(Value::String(value)) if (1..=MAX_CREDENTIAL_BYTES).contains(&value.len()) => Ok(Some(value)),
        Some(Value::String(value)) => {
            Err(Error::invalid(field, format!("has {} bytes; send 1 to {MAX_CREDENTIAL_BYTES}", value.len())))
        }
        Some(_) => Err(Error::invalid(field, "is not a text; send it in quotes")),
    }
}
