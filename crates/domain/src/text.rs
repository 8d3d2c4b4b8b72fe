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

/// Whether the text looks as if it held a credential: a token of ours (`tk_…`, `rt_…`) or a JWT. People put them into
/// the strangest places, where errors and logs would show them.
pub fn looks_like_token(value: &str) -> bool {
    /// Ours have 52 characters, and a JWT more.
    const LONG: usize = 40;
    let long_run = |from: usize| {
        let rest = value.get(from..).unwrap_or_default();
        rest.bytes().take_while(|byte| byte.is_ascii_alphanumeric() || b"_-.".contains(byte)).count() >= LONG
    };
    ["tk_", "rt_", "eyJ"].iter().any(|start| value.match_indices(start).any(|(from, _)| long_run(from)))
}

/// The value as an error message may show it: at most 64 characters, control characters escaped, and no token.
pub fn shown(value: &str) -> String {
    if looks_like_token(value) {
        return "(hidden, as it looks like a token)".to_owned();
    }
    let mut out: String = value.chars().take(64).flat_map(char::escape_debug).collect();
    if value.chars().count() > 64 {
        out.push('…');
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tokens_are_not_shown() {
        for token in [format!("tk_{}", "a".repeat(49)), format!("x?t=rt_{}", "B".repeat(49)), "eyJ0.e-_".repeat(6)] {
            assert!(looks_like_token(&token), "{token}");
            assert!(!shown(&token).contains(&token[4..]), "{token}");
        }
        for plain in ["tk_42", "start_timestamp", "eyJ", "", "käse", "69e732d6-8ecc-45c4-a2eb-8438f7ffe775"] {
            assert!(!looks_like_token(plain), "{plain}");
            assert_eq!(shown(plain), plain);
        }
    }
}
