//! Texts from outside, in the form in which audit events keep them.

use trailkeeper_domain::text;

/// Replaces a token.
const HIDDEN_TOKEN: &str = "(a token, hidden)";

/// The longest name of an actor or a target, in characters.
pub(crate) const MAX_NAME: usize = 256;

/// The longest request id, in characters.
pub(super) const MAX_TRACE_ID: usize = 128;

/// The text without control characters, with at most `max` characters; `None` when nothing is left of it. A longer text
/// is cut and ends in `…`. A token that someone put into the wrong field is replaced by a note.
pub(crate) fn cleaned(value: &str, max: usize) -> Option<String> {
    if text::looks_like_token(value) {
        return Some(HIDDEN_TOKEN.to_owned());
    }
    let mut cleaned: String = value.chars().filter(|c| !c.is_control()).collect();
    if cleaned.chars().count() > max {
        cleaned = cleaned.chars().take(max.saturating_sub(1)).chain(['…']).collect();
    }
    (!cleaned.is_empty()).then_some(cleaned)
}
