//! Validation of short texts from outside.

use crate::error::{Error, Result};

/// Checks that `value` has 1 to `max` characters and no control character. `field` names it in the error.
///
/// PostgreSQL's `text` cannot store NUL, and the other control characters can forge lines in logs and terminals.
///
/// ```
/// use trailkeeper_domain::text;
///
/// assert!(text::checked("name", "Jane Doe", 8).is_ok());
/// assert_eq!(
///     text::checked("name", "Jane\nDoe", 8).unwrap_err().to_string(),
///     "name: contains the control character U+000A at position 4; remove it"
/// );
/// ```
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
    no_longer(field, value, max)?;
    no_control(field, value)
}

/// Like [`checked_or_empty`], but the text may have several lines and tabs: line feeds, carriage returns and tabs are
/// allowed.
pub fn checked_lines(field: &str, value: &str, max: usize) -> Result<()> {
    no_longer(field, value, max)?;
    without_control(field, value, |c| !matches!(c, '\n' | '\r' | '\t'))
}

fn no_longer(field: &str, value: &str, max: usize) -> Result<()> {
    let length = value.chars().count();
    if length > max {
        return Err(Error::invalid(field, format!("has {length} characters; at most {max} are allowed")));
    }
    Ok(())
}

/// Rejects control characters. The error names the first one and its position, counted in characters from 0.
pub fn no_control(field: &str, value: &str) -> Result<()> {
    without_control(field, value, |_| true)
}

/// Rejects the control characters that `counts` selects.
fn without_control(field: &str, value: &str, counts: impl Fn(char) -> bool) -> Result<()> {
    match value.chars().enumerate().find(|(_, c)| c.is_control() && counts(*c)) {
        Some((at, c)) => Err(Error::invalid(
            field,
            format!("contains the control character U+{:04X} at position {at}; remove it", u32::from(c)),
        )),
        None => Ok(()),
    }
}

/// The text cut to `max` characters, with a space in place of each control character. It is the text itself if
/// [`checked_or_empty`] accepts it.
///
/// ```
/// use trailkeeper_domain::text;
///
/// assert_eq!(text::cut("Jane\tDoe", 6), "Jane D");
/// ```
pub fn cut(value: &str, max: usize) -> String {
    value.chars().take(max).map(|c| if c.is_control() { ' ' } else { c }).collect()
}

/// Whether the text seems to contain a credential: a token of Trailkeeper (`tk_…`, `rt_…`) or a JWT. People paste
/// tokens into wrong fields, and errors and logs would show them.
pub fn looks_like_token(value: &str) -> bool {
    /// Trailkeeper's tokens have 52 characters, and a JWT has more.
    const LONG: usize = 40;
    let long_run = |from: usize| {
        let rest = value.get(from..).unwrap_or_default();
        rest.bytes().take_while(|byte| byte.is_ascii_alphanumeric() || b"_-.".contains(byte)).count() >= LONG
    };
    ["tk_", "rt_", "eyJ"].iter().any(|start| value.match_indices(start).any(|(from, _)| long_run(from)))
}

/// The value as an error message may show it: its first 64 characters, with control characters escaped, or a
/// placeholder if it seems to contain a token.
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

    fn error(result: Result<()>) -> String {
        result.unwrap_err().to_string()
    }

    #[test]
    fn lengths_are_counted_in_characters_up_to_the_maximum() {
        assert!(checked("name", "äöü", 3).is_ok());
        assert_eq!(error(checked("name", "äöüß", 3)), "name: has 4 characters; at most 3 are allowed");
        assert_eq!(
            error(checked("name", "", 3)),
            "name: is empty; send 1 to 3 characters, or leave it out where it is optional"
        );
        assert!(checked_or_empty("name", "", 3).is_ok());
        assert!(checked_or_empty("name", "abcd", 3).is_err());
    }

    #[test]
    fn control_characters_are_rejected_with_their_position() {
        for (value, character, position) in
            [("a\0b", "U+0000", 1), ("\u{7f}", "U+007F", 0), ("é\u{85}", "U+0085", 1), ("ab\r\n", "U+000D", 2)]
        {
            let expected =
                format!("name: contains the control character {character} at position {position}; remove it");
            assert_eq!(error(checked("name", value, 10)), expected);
            assert_eq!(error(checked_or_empty("name", value, 10)), expected);
            assert_eq!(error(no_control("name", value)), expected);
        }
        assert!(checked_lines("name", "1 High St\r\n\tLisbon\n", 20).is_ok());
        assert!(checked_lines("name", "", 20).is_ok());
        assert_eq!(
            error(checked_lines("name", "a\n\0", 20)),
            "name: contains the control character U+0000 at position 2; remove it"
        );
        assert_eq!(error(checked_lines("name", "a\n\t", 2)), "name: has 3 characters; at most 2 are allowed");
        for fine in [" ", "\u{200b}", "\u{2028}", "👩‍👩‍👧"] {
            assert!(checked("name", fine, 10).is_ok(), "{fine:?}");
        }
    }

    #[test]
    fn a_run_of_forty_characters_after_the_prefix_is_a_token() {
        assert!(!looks_like_token(&format!("tk_{}", "a".repeat(36))));
        assert!(looks_like_token(&format!("tk_{}", "a".repeat(37))));
        assert!(!looks_like_token(&format!("tk_{} {}", "a".repeat(30), "a".repeat(30))), "a space ends it");
        assert!(looks_like_token(&format!("tk_short and rt_{}", "a".repeat(37))), "any occurrence counts");
    }

    #[test]
    fn shown_values_are_short_and_escaped() {
        assert_eq!(shown("a\tb\u{1b}[31m"), "a\\tb\\u{1b}[31m");
        assert_eq!(shown(&"ä".repeat(64)), "ä".repeat(64));
        assert_eq!(shown(&"ä".repeat(65)), format!("{}…", "ä".repeat(64)));
        assert_eq!(shown(&format!("rt_{}", "x".repeat(49))), "(hidden, as it looks like a token)");
    }
}
