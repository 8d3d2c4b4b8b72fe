//! Checks of the short texts that come from outside.

use crate::error::{Error, Result};

/// Checks that `value` has 1 to `max` characters and none that a database or a log cannot hold.
///
/// NUL is refused because PostgreSQL's `text` cannot store it; the other control characters because
/// they forge lines in logs and terminals.
pub fn checked(field: &str, value: &str, max: usize) -> Result<()> {
    if value.is_empty() {
        return Err(Error::invalid(
            field,
            format!("is empty; send 1 to {max} characters, or leave it out where it is optional"),
        ));
    }
    checked_or_empty(field, value, max)
}

/// Like [`checked`], but an empty text is allowed.
pub fn checked_or_empty(field: &str, value: &str, max: usize) -> Result<()> {
    let length = value.chars().count();
    if length > max {
        return Err(Error::invalid(field, format!("has {length} characters; at most {max} are allowed")));
    }
    no_control(field, value)
}

/// Refuses control characters, naming the first and its position.
pub fn no_control(field: &str, value: &str) -> Result<()> {
    match value.chars().enumerate().find(|(_, c)| c.is_control()) {
        Some((at, c)) => Err(Error::invalid(
            field,
            format!("contains the control character U+{:04X} at position {at}; remove it", u32::from(c)),
        )),
        None => Ok(()),
    }
}

/// The value as an error message may show it: at most 64 characters, control characters escaped.
pub fn shown(value: &str) -> String {
    let mut out: String = value.chars().take(64).flat_map(char::escape_debug).collect();
    if value.chars().count() > 64 {
        out.push('…');
    }
    out
}
