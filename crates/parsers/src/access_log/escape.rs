//! Escapes that servers write into their logs.
//!
//! Apache writes a control character as `\n`, `\t` and so on or as `\xhh`, a quote as `\"` and a backslash as `\\`. nginx
//! writes all of these and every byte outside ASCII as `\xHH`.

use std::borrow::Cow;
use std::fmt::Write as _;

/// Characters of an escaped byte: `\xHH`.
const BYTE: usize = 4;

/// The text of a line. Zero bytes in front are dropped: a file has them if it was truncated while a server wrote to it.
/// Other zero bytes, and bytes that are not UTF-8, become escapes, as if the server had written them: a replacement
/// character would make one name of two.
pub fn text_of(line: &[u8]) -> Cow<'_, str> {
    let zeros = line.iter().take_while(|byte| **byte == 0).count();
    let line = line.get(zeros..).unwrap_or_default();
    match std::str::from_utf8(line) {
        Ok(text) if !text.contains('\0') => return Cow::Borrowed(text),
        _ => {}
    }
    let mut out = String::with_capacity(line.len() + BYTE);
    for chunk in line.utf8_chunks() {
        out.push_str(&chunk.valid().replace('\0', r"\x00"));
        for byte in chunk.invalid() {
            // Writing to a string cannot fail.
            let _ = write!(out, "\\x{byte:02x}");
        }
    }
    Cow::Owned(out)
}

/// The text with its escapes undone. Escaped bytes that make no UTF-8, the NUL character, which no database stores, and
/// anything that is no escape stay as the log has them.
pub fn unescaped(written: &str) -> Cow<'_, str> {
    if !written.contains('\\') {
        return Cow::Borrowed(written);
    }
    let mut out = String::with_capacity(written.len());
    let mut rest = written;
    while let Some((before, after)) = rest.split_once('\\') {
        out.push_str(before);
        let escape = rest.get(before.len()..).unwrap_or_default();
        let bytes = bytes(escape);
        rest = if let Some(c) = character(after) {
            out.push(c);
            after.get(1..).unwrap_or_default()
        } else if bytes.is_empty() {
            out.push('\\');
            after
        } else {
            let (run, after) = escape.split_at(bytes.len() * BYTE);
            push_bytes(&mut out, &bytes, run);
            after
        };
    }
    out.push_str(rest);
    Cow::Owned(out)
}

/// The text with its escapes undone, or as the log has it if that would give control characters: what a program sent to
/// the wrong port stays legible.
pub fn legible(written: &str) -> Cow<'_, str> {
    let text = unescaped(written);
    if text.contains(char::is_control) { Cow::Borrowed(written) } else { text }
}

/// The character for which a backslash and the first character of `after` stand.
fn character(after: &str) -> Option<char> {
    Some(match after.chars().next()? {
        c @ ('"' | '\\') => c,
        'b' => '\u{8}',
        't' => '\t',
        'n' => '\n',
        'v' => '\u{b}',
        'r' => '\r',
        _ => return None,
    })
}

/// The bytes of the escapes `\xHH` with which the text begins.
fn bytes(text: &str) -> Vec<u8> {
    let escapes = text.as_bytes().chunks_exact(BYTE);
    let byte = |escape: &[u8]| match escape {
        [b'\\', b'x', high, low] => Some(digit(*high)? << 4 | digit(*low)?),
        _ => None,
    };
    escapes.map_while(byte).collect()
}

fn digit(byte: u8) -> Option<u8> {
    char::from(byte).to_digit(16).and_then(|digit| u8::try_from(digit).ok())
}

/// Appends the characters that `bytes` make. `written` has their escapes.
fn push_bytes(out: &mut String, bytes: &[u8], written: &str) {
    let escapes = |from: usize, to: usize| written.get(from * BYTE..to * BYTE).unwrap_or_default();
    let mut at = 0;
    for chunk in bytes.utf8_chunks() {
        for c in chunk.valid().chars() {
            let end = at + c.len_utf8();
            if c == '\0' {
                out.push_str(escapes(at, end));
            } else {
                out.push(c);
            }
            at = end;
        }
        let end = at + chunk.invalid().len();
        out.push_str(escapes(at, end));
        at = end;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn escapes_of_apache_and_nginx_are_undone() {
        for (written, text) in [
            ("plain", "plain"),
            (r"CORP\\jane", r"CORP\jane"),
            (r"CORP\x5Cjane", r"CORP\jane"),
            (r#"\"bob\""#, "\"bob\""),
            (r"\x22bob\x22", "\"bob\""),
            // nginx writes digits above 9 in capitals, Apache in small letters.
            (r"caf\xC3\xA9", "café"),
            (r"caf\xc3\xa9", "café"),
            (r"\xE6\x97\xa5\xE6\x9C\xAC", "日本"),
            (r"\xF0\x9F\x98\x80!", "😀!"),
            (r"a\tb\nc\rd\ve\bf", "a\tb\nc\rd\u{b}e\u{8}f"),
            (r"\x09\x1b\x7f", "\t\u{1b}\u{7f}"),
            // An escaped backslash escapes nothing.
            (r"\\x41", r"\x41"),
            (r"\x5Cx41", r"\x41"),
            (r"\\\\n", r"\\n"),
            (r#"\\\""#, "\\\""),
        ] {
            assert_eq!(unescaped(written), text, "{written}");
        }
    }

    #[test]
    fn what_makes_no_text_stays_as_the_log_has_it() {
        for written in
            [r"\xff", r"\xFF\xFE", r"\xc3", r"\x00", r"\x4", r"\x", r"\xg0", r"\q", r"\u00e9", "\\", r"a\", r"\é"]
        {
            assert_eq!(unescaped(written), written, "{written}");
        }
        assert_eq!(unescaped(r"\xc3\x28"), r"\xc3(");
        assert_eq!(unescaped(r"\xc3\xa9\xc3\x00é"), r"é\xc3\x00é");
        assert_eq!(unescaped(r"a\x00\x62"), r"a\x00b");
        // A surrogate and an overlong form are no UTF-8.
        assert_eq!(unescaped(r"\xed\xa0\x80\xc0\x80"), r"\xed\xa0\x80\xc0\x80");
    }

    #[test]
    fn texts_with_control_characters_stay_legible() {
        assert_eq!(legible(r"\x16\x03\x01"), r"\x16\x03\x01");
        assert_eq!(legible(r"\xC3\xA9"), "é");
    }

    #[test]
    fn bytes_that_are_no_text_become_escapes() {
        assert_eq!(text_of("käse".as_bytes()), "käse");
        assert_eq!(text_of(b"J\xfcrgen \xc3\xa9\xff"), r"J\xfcrgen é\xff");
        assert_eq!(unescaped(&text_of(b"J\xfcrgen")), r"J\xfcrgen");
        assert_eq!(text_of(b"\0\0\x003.example \0x"), r"3.example \x00x");
    }
}
