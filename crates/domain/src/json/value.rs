//! Values as they were sent.

use std::borrow::Cow;
use std::fmt;

use crate::json::walk::decoded;
use crate::text;

/// The byte order mark, which some programs write before JSON.
const MARK: &[u8] = b"\xef\xbb\xbf";

/// A value as it was sent. A number keeps its digits, however large or small it is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum JsonValue {
    /// `null`.
    Null,
    /// `true` or `false`.
    Bool(bool),
    /// A number, as it was written.
    Number(String),
    /// A text.
    Text(String),
    /// A text that is no Unicode: a UTF-16 surrogate in it has no partner, or a byte of it is not UTF-8. As it was
    /// written, in quotes; each byte `0xHH` that is not UTF-8 is written as `\udcHH`.
    NoUnicode(String),
    /// A list, as compact JSON.
    List(String),
    /// An object, as compact JSON.
    Object(String),
}

impl JsonValue {
    /// The value of a text that is JSON.
    pub fn of(written: &str) -> Self {
        match written.bytes().next() {
            Some(b'{') => Self::Object(compact(written)),
            Some(b'[') => Self::List(compact(written)),
            Some(b'"') => match decoded(written) {
                Some(text) => Self::Text(text.into_owned()),
                None => Self::NoUnicode(written.to_owned()),
            },
            Some(b't') => Self::Bool(true),
            Some(b'f') => Self::Bool(false),
            Some(b'n') | None => Self::Null,
            Some(_) => Self::Number(written.to_owned()),
        }
    }

    /// The value in the form in which an error message may show it.
    pub fn shown(&self) -> String {
        match self {
            Self::Null => "null".to_owned(),
            Self::Bool(value) => value.to_string(),
            Self::Number(number) => text::shown(number),
            Self::Text(value) => format!("'{}'", text::shown(value)),
            Self::NoUnicode(written) => format!("'{}' (no Unicode)", text::shown(&repaired(written))),
            Self::List(_) => "a list".to_owned(),
            Self::Object(_) => "an object".to_owned(),
        }
    }
}

impl fmt::Display for JsonValue {
    /// Writes compact JSON.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Null => f.write_str("null"),
            Self::Bool(value) => value.fmt(f),
            Self::Text(text) => serde_json::Value::from(text.as_str()).fmt(f),
            Self::Number(written) | Self::NoUnicode(written) | Self::List(written) | Self::Object(written) => {
                f.write_str(written)
            }
        }
    }
}

/// JSON without the spaces between its tokens.
pub fn compact(json: &str) -> String {
    let (mut quoted, mut escaped) = (false, false);
    let is_kept = |c: &char| {
        if !quoted {
            quoted = *c == '"';
            return !matches!(c, ' ' | '\t' | '\n' | '\r');
        }
        quoted = escaped || *c != '"';
        escaped = !escaped && *c == '\\';
        true
    };
    json.chars().filter(is_kept).collect()
}

/// The bytes behind a byte order mark, if they begin with one.
///
/// ```
/// use trailkeeper_domain::json::without_mark;
///
/// assert_eq!(without_mark("\u{feff}{}".as_bytes()), b"{}");
/// assert_eq!(without_mark(b"{}"), b"{}");
/// ```
pub fn without_mark(bytes: &[u8]) -> &[u8] {
    bytes.strip_prefix(MARK).unwrap_or(bytes)
}

/// Bytes as a text. A byte `0xHH` that is not UTF-8 becomes the escape `\udcHH`, which stands for no character: inside a
/// text of JSON it makes this text [`JsonValue::NoUnicode`], outside it makes the JSON malformed.
pub fn utf8_or_escapes(bytes: &[u8]) -> Cow<'_, str> {
    if let Ok(text) = std::str::from_utf8(bytes) {
        return Cow::Borrowed(text);
    }
    let mut out = String::with_capacity(bytes.len());
    for chunk in bytes.utf8_chunks() {
        out.push_str(chunk.valid());
        for byte in chunk.invalid() {
            // Behind a backslash the escape would be a text of its own. This character is no escape there.
            if out.bytes().rev().take_while(|byte| *byte == b'\\').count() % 2 == 1 {
                out.push(char::REPLACEMENT_CHARACTER);
            } else {
                out.extend(["\\udc", &format!("{byte:02x}")]);
            }
        }
    }
    Cow::Owned(out)
}

/// A text of JSON, as it was written with its quotes, with U+FFFD in place of each surrogate without a partner.
pub fn repaired(written: &str) -> String {
    let mut out = String::with_capacity(written.len());
    let mut rest = written;
    while let Some((before, escape)) = rest.find('\\').and_then(|at| rest.split_at_checked(at)) {
        out.push_str(before);
        let length = match (surrogate(escape), escape.get(6..).and_then(surrogate)) {
            (Some(0xd800..=0xdbff), Some(0xdc00..=0xdfff)) => 12,
            (Some(_), _) => {
                out.push_str("\\ufffd");
                rest = escape.get(6..).unwrap_or_default();
                continue;
            }
            (None, _) => 2,
        };
        let (kept, after) = escape.split_at_checked(length).unwrap_or((escape, ""));
        out.push_str(kept);
        rest = after;
    }
    out.push_str(rest);
    decoded(&out).map(Cow::into_owned).unwrap_or_default()
}

/// The surrogate that an escape at the start of `text` stands for.
fn surrogate(text: &str) -> Option<u16> {
    let digits = text.strip_prefix("\\u")?.get(..4)?;
    u16::from_str_radix(digits, 16).ok().filter(|unit| (0xd800..=0xdfff).contains(unit))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn compact_json_keeps_what_stands_in_quotes() {
        for (json, expected) in [
            ("{ \"a b\" :\t[ 1 , \"x\\\" y\" ] ,\r\n\"c\\\\\" : \" \" }", "{\"a b\":[1,\"x\\\" y\"],\"c\\\\\":\" \"}"),
            ("[ ]", "[]"),
            ("1.50", "1.50"),
        ] {
            assert_eq!(compact(json), expected);
        }
    }

    #[test]
    fn a_value_is_written_as_it_was_sent() {
        for json in
            ["null", "true", "1E-400", "-0", "12345678901234567890123", "\"a\\nb\"", "\"\\ud83d\"", "[1,{}]", "{}"]
        {
            assert_eq!(JsonValue::of(json).to_string(), json);
        }
        assert_eq!(JsonValue::of("\"\\u00e9\""), JsonValue::Text("é".to_owned()));
        assert_eq!(JsonValue::of("\"a\\udc00\""), JsonValue::NoUnicode("\"a\\udc00\"".to_owned()));
    }

    #[test]
    fn bytes_that_are_not_utf_8_become_escapes() {
        assert_eq!(utf8_or_escapes("é".as_bytes()), "é");
        assert_eq!(utf8_or_escapes(b"\"caf\xe9\""), "\"caf\\udce9\"");
        assert_eq!(utf8_or_escapes(b"\xff\xfe"), "\\udcff\\udcfe");
        assert_eq!(utf8_or_escapes(b"\"\\\\\xff\""), "\"\\\\\\udcff\"");
        assert_eq!(utf8_or_escapes(b"\"\\\xff\""), "\"\\\u{fffd}\"");
    }

    #[test]
    fn a_surrogate_without_its_partner_is_replaced() {
        for (written, expected) in [
            (r#""a\ud83d""#, "a\u{fffd}"),
            (r#""\ud83d\ude00 \ude00""#, "\u{1f600} \u{fffd}"),
            (r#""\ud83d\ud83d\ude00""#, "\u{fffd}\u{1f600}"),
            (r#""\\ud83d\n\udcff""#, "\\ud83d\n\u{fffd}"),
            (r#""\ud83dx""#, "\u{fffd}x"),
        ] {
            assert_eq!(repaired(written), expected, "{written}");
        }
    }
}
