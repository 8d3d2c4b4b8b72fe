//! A walk over a text that is JSON, token by token. Unlike a reader of values it keeps each token as it was written.

use std::borrow::Cow;
use std::collections::BTreeSet;

/// The depth below which repeated keys are not searched. It limits the stack; no accepted value is as deep.
const MAX_DEPTH: usize = 128;

/// The position in a text that is JSON, and its next tokens. On any other text the walk ends somewhere, without a panic.
#[derive(Debug, Clone)]
pub struct Walk<'a> {
    rest: &'a str,
}

/// A token of JSON.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Token<'a> {
    /// `{` or `[`.
    Open,
    /// `}` or `]`.
    Close,
    /// `,` or `:`.
    Separator,
    /// A text or a key, with its quotes.
    Text(&'a str),
    /// A number.
    Number(&'a str),
    /// `true`, `false` or `null`.
    Literal(&'a str),
}

/// The members of an object or the items of a list, as they were written.
#[derive(Debug)]
pub struct Parts<'a> {
    walk: Walk<'a>,
    is_object: bool,
}

impl<'a> Walk<'a> {
    /// A walk from the start of `text`, which must be JSON.
    pub fn new(text: &'a str) -> Self {
        Self { rest: text }
    }

    /// The first byte of the next token; 0 at the end.
    fn peek(&mut self) -> u8 {
        self.rest = self.rest.trim_start_matches([' ', '\t', '\n', '\r']);
        self.rest.bytes().next().unwrap_or_default()
    }

    /// Takes `bytes` bytes; what is left of the text if these are more.
    fn advance(&mut self, bytes: usize) -> &'a str {
        let (token, rest) = self.rest.split_at_checked(bytes).unwrap_or((self.rest, ""));
        self.rest = rest;
        token
    }

    /// Takes a text, with its quotes.
    fn text(&mut self) -> &'a str {
        let mut escaped = false;
        let end = self.rest.bytes().skip(1).position(|byte| match byte {
            _ if escaped => {
                escaped = false;
                false
            }
            b'\\' => {
                escaped = true;
                false
            }
            other => other == b'"',
        });
        self.advance(end.map_or(self.rest.len(), |end| end + 2))
    }

    /// Takes a number, `true`, `false` or `null`.
    fn scalar(&mut self) -> &'a str {
        let end = self.rest.bytes().position(|byte| matches!(byte, b',' | b']' | b'}' | b' ' | b'\t' | b'\n' | b'\r'));
        self.advance(end.unwrap_or(self.rest.len()))
    }

    /// Takes a list or an object, whatever is in it.
    fn nested(&mut self) -> &'a str {
        let before = self.rest;
        let mut open = 0_usize;
        for token in self.by_ref() {
            match token {
                Token::Open => open += 1,
                Token::Close => open = open.saturating_sub(1),
                Token::Text(_) | Token::Number(_) | Token::Literal(_) | Token::Separator => {}
            }
            if open == 0 {
                break;
            }
        }
        written(before, self.rest)
    }

    /// Takes a value, as it was written.
    fn value(&mut self) -> &'a str {
        match self.peek() {
            b'{' | b'[' => self.nested(),
            b'"' => self.text(),
            _ => self.scalar(),
        }
    }

    /// The members of the object, or the items of the list, at this position.
    pub fn parts(mut self) -> Parts<'a> {
        let is_object = self.peek() == b'{';
        self.advance(1);
        Parts { walk: self, is_object }
    }

    /// Walks over a value and looks for a key that occurs twice in one object. The error is the first such key, with the
    /// names of the objects around it.
    fn unique(&mut self, depth: usize) -> Result<&'a str, String> {
        let kind = self.peek();
        if !matches!(kind, b'{' | b'[') || depth >= MAX_DEPTH {
            return Ok(self.value());
        }
        let before = self.rest;
        let mut keys = BTreeSet::new();
        let mut parts = Parts { walk: self.clone(), is_object: kind == b'{' };
        parts.walk.advance(1);
        let mut at = 0;
        while let Some(key) = parts.next_key() {
            let key = key.map(key_of);
            if let Some(key) = &key
                && !keys.insert(key.clone())
            {
                return Err(name_part(key));
            }
            parts.walk.unique(depth + 1).map_err(|inner| {
                let dot = if inner.starts_with('[') { "" } else { "." };
                let outer = key.map_or_else(|| format!("[{at}]"), |key| name_part(&key));
                format!("{outer}{dot}{inner}")
            })?;
            at += 1;
        }
        self.rest = parts.walk.rest;
        Ok(written(before, self.rest))
    }
}

/// Whether no key occurs twice in one object of a value that is the field of an object.
pub fn has_unique_keys(json: &str) -> bool {
    Walk::new(json).unique(1).is_ok()
}

impl<'a> Iterator for Walk<'a> {
    type Item = Token<'a>;

    fn next(&mut self) -> Option<Token<'a>> {
        let token = match self.peek() {
            0 => return None,
            b'"' => return Some(Token::Text(self.text())),
            b'{' | b'[' => Token::Open,
            b'}' | b']' => Token::Close,
            b',' | b':' => Token::Separator,
            b't' | b'f' | b'n' => return Some(Token::Literal(self.scalar())),
            _ => return Some(Token::Number(self.scalar())),
        };
        self.advance(1);
        Some(token)
    }
}

impl<'a> Parts<'a> {
    /// Goes to the next value, and takes its key. `None` after the last one; `Some(None)` if it is the item of a list.
    #[expect(clippy::option_option, reason = "an item of a list has no key")]
    fn next_key(&mut self) -> Option<Option<&'a str>> {
        if self.walk.peek() == b',' {
            self.walk.advance(1);
        }
        match self.walk.peek() {
            0 => return None,
            b'}' | b']' => {
                self.walk.advance(1);
                return None;
            }
            _ => {}
        }
        if !self.is_object {
            return Some(None);
        }
        let key = self.walk.text();
        if self.walk.peek() == b':' {
            self.walk.advance(1);
        }
        Some(Some(key))
    }

    /// The next key, if it is an object, and value. The error is a key that occurs twice in one object of the value.
    pub fn next_unique(&mut self) -> Option<Result<(Option<&'a str>, &'a str), String>> {
        let key = self.next_key()?;
        let value = self.walk.unique(1).map_err(|inner| {
            let dot = if inner.starts_with('[') { "" } else { "." };
            format!("{}{dot}{inner}", name_part(&key.map(key_of).unwrap_or_default()))
        });
        Some(value.map(|value| (key, value)))
    }
}

impl<'a> Iterator for Parts<'a> {
    /// The key with its quotes, if it is an object, and the value.
    type Item = (Option<&'a str>, &'a str);

    fn next(&mut self) -> Option<Self::Item> {
        let key = self.next_key()?;
        Some((key, self.walk.value()))
    }
}

/// The part of `before` that is no longer in `rest`.
fn written<'a>(before: &'a str, rest: &str) -> &'a str {
    before.get(..before.len() - rest.len()).unwrap_or(before)
}

/// The text of a token in quotes; `None` if it is no Unicode, because it has a surrogate without its partner.
pub fn decoded(token: &str) -> Option<Cow<'_, str>> {
    match token.strip_prefix('"').and_then(|token| token.strip_suffix('"')) {
        Some(text) if !text.contains('\\') => Some(Cow::Borrowed(text)),
        _ => serde_json::from_str(token).ok().map(Cow::Owned),
    }
}

/// A key; as it was written, if it is no Unicode.
pub fn key_of(token: &str) -> Cow<'_, str> {
    decoded(token).unwrap_or(Cow::Borrowed(token))
}

/// A key as part of a field's name: its first 64 characters, which are enough to find it.
pub fn name_part(key: &str) -> String {
    key.chars().take(64).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn parts_are_as_they_were_written() {
        let text = " { \"a\" : 1.50 ,\"b\\n\":[ 1 , {\"c\":\"]}\\\"\"} ] , \"\":\"\\\\\", \"n\" : null } ";
        let parts: Vec<_> = Walk::new(text).parts().collect();
        let expected = [
            (Some("\"a\""), "1.50"),
            (Some("\"b\\n\""), "[ 1 , {\"c\":\"]}\\\"\"} ]"),
            (Some("\"\""), "\"\\\\\""),
            (Some("\"n\""), "null"),
        ];
        assert_eq!(parts, expected);
        let items: Vec<_> = Walk::new("[1,[ ],{ },\"x\" ,true]").parts().collect();
        assert_eq!(items, ["1", "[ ]", "{ }", "\"x\"", "true"].map(|item| (None, item)));
        assert_eq!(Walk::new("{}").parts().next(), None);
    }

    #[test]
    fn a_walk_over_no_json_ends() {
        for text in ["", "{", "{\"a", "{\"a\":", "[1,", "]", "\\", "{a:1}", "[\"\\", "{\"é", "[[[[", "}{", ",,", ":"] {
            let mut parts = Walk::new(text).parts();
            let count = std::iter::from_fn(|| parts.next_unique()).take(100).count();
            assert!(count < 10, "{text}: {count}");
            assert!(Walk::new(text).parts().take(100).count() < 10, "{text}");
        }
    }
}
