//! Percent escapes in normal form.

use std::borrow::Cow;
use std::fmt::Write as _;

/// The text with its escapes in normal form. Only characters without a meaning in URLs are unescaped, so the result has
/// the same parts as the text.
pub fn normal(text: &str) -> Cow<'_, str> {
    if text.bytes().all(|byte| (0x21..0x7f).contains(&byte) && byte != b'%') {
        return Cow::Borrowed(text);
    }
    let mut out = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(first) = rest.chars().next() {
        let escaped = leading_escapes(rest);
        if escaped.is_empty() {
            push_sent(&mut out, first);
            rest = rest.get(first.len_utf8()..).unwrap_or_default();
            continue;
        }
        for chunk in escaped.utf8_chunks() {
            chunk.valid().chars().for_each(|c| push_unescaped(&mut out, c));
            chunk.invalid().iter().for_each(|byte| push_escape(&mut out, *byte));
        }
        rest = rest.get(escaped.len() * 3..).unwrap_or_default();
    }
    Cow::Owned(out)
}

/// The bytes of the escapes with which the text begins.
fn leading_escapes(text: &str) -> Vec<u8> {
    let digit = |byte: u8| char::from(byte).to_digit(16).and_then(|digit| u8::try_from(digit).ok());
    let escape = |chunk: &[u8]| match chunk {
        [b'%', high, low] => Some(digit(*high)? << 4 | digit(*low)?),
        _ => None,
    };
    text.as_bytes().chunks_exact(3).map_while(escape).collect()
}

/// Appends a character that was not escaped.
fn push_sent(out: &mut String, c: char) {
    if c != ' ' && (c.is_ascii() || is_visible(c)) { out.push(c) } else { escape(out, c) }
}

/// Appends a character that was escaped.
fn push_unescaped(out: &mut String, c: char) {
    let plain = match c {
        'a'..='z' | 'A'..='Z' | '0'..='9' => !(c.is_ascii_hexdigit() && is_cut_off(out)),
        '-' | '.' | '_' | '~' => true,
        _ => !c.is_ascii() && is_visible(c),
    };
    if plain { out.push(c) } else { escape(out, c) }
}

fn escape(out: &mut String, c: char) {
    c.encode_utf8(&mut [0; 4]).bytes().for_each(|byte| push_escape(out, byte));
}

fn push_escape(out: &mut String, byte: u8) {
    // Writing to a text cannot fail.
    let _ = write!(out, "%{byte:02X}");
}

/// Whether the text ends with the beginning of an escape, which the next digit could complete: `%` or `%4`.
fn is_cut_off(text: &str) -> bool {
    match text.as_bytes() {
        [.., b'%'] => true,
        [.., b'%', digit] => digit.is_ascii_hexdigit(),
        _ => false,
    }
}

/// Whether a character outside ASCII shows itself, and only itself. Others would hide differences between pages, or turn
/// the text around them.
fn is_visible(c: char) -> bool {
    let is_format = matches!(c, '\u{ad}' | '\u{61c}' | '\u{200b}'..='\u{200f}' | '\u{202a}'..='\u{202e}'
        | '\u{2060}'..='\u{206f}' | '\u{feff}' | '\u{fff9}'..='\u{fffb}' | '\u{e0000}'..='\u{e0fff}');
    let is_private = matches!(c, '\u{e000}'..='\u{f8ff}' | '\u{f0000}'..='\u{10ffff}');
    let is_noncharacter = matches!(c, '\u{fdd0}'..='\u{fdef}') || u32::from(c) & 0xfffe == 0xfffe;
    !(c.is_control() || c.is_whitespace() || is_format || is_private || is_noncharacter)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn escapes_have_one_form() {
        for (text, expected) in [
            ("/caf%C3%A9", "/café"),
            ("/caf%c3%a9", "/café"),
            ("/café", "/café"),
            ("/%66oo%7e%2D", "/foo~-"),
            // Reserved and other characters of ASCII.
            ("/a%2fb%3F%23%25%20%7b", "/a%2Fb%3F%23%25%20%7B"),
            ("/a b{c}", "/a%20b{c}"),
            // Invalid escapes, and bytes that are no UTF-8.
            ("/%zz%4%", "/%zz%4%"),
            ("/%c3%28%ff%C3é", "/%C3%28%FF%C3é"),
            ("/%E2%82%AC%e2%82", "/€%E2%82"),
            // Unescaping must not complete an escape.
            ("/%4%31", "/%4%31"),
            ("/%%34%31", "/%%341"),
            ("/%25%34%31", "/%2541"),
            // Characters that cannot be seen.
            ("/%C2%A0%E2%80%AE", "/%C2%A0%E2%80%AE"),
            ("/\u{a0}\u{202e}", "/%C2%A0%E2%80%AE"),
        ] {
            assert_eq!(normal(text), expected, "{text}");
            assert_eq!(normal(expected), expected);
        }
    }
}
