//! Texts from outside, in the form in which audit events keep them.

use trailkeeper_domain::text;

/// Replaces a token.
const HIDDEN_TOKEN: &str = "(a token, hidden)";

/// The longest name of an actor or a target, in characters.
pub(crate) const MAX_NAME: usize = 256;

/// The longest request id, in characters.
pub(super) const MAX_TRACE_ID: usize = 128;

/// The text with at most `max` characters and with spaces for control characters; `None` if it is blank. A longer text is
/// cut and ends in `…`. A token that someone put into the wrong field is replaced by a note.
pub(crate) fn cleaned(value: &str, max: usize) -> Option<String> {
    if text::looks_like_token(value) {
        return Some(HIDDEN_TOKEN.to_owned());
    }
    let mut cleaned = text::cut(value, max);
    if value.chars().nth(max).is_some() {
        cleaned.pop();
        cleaned.push('…');
    }
    Some(cleaned).filter(|cleaned| !cleaned.trim().is_empty())
}
