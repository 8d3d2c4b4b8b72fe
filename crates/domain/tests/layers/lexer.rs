//! Rust source as tokens, as far as finding paths needs it: names, literals of text, and punctuation. Comments vanish,
//! and with them the links inside doc comments, which are no imports.

/// One token.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Token {
    /// A name or keyword, raw names without their `r#`.
    Name(String),
    /// The content of a literal of text, escapes unread.
    Text(String),
    /// `::`.
    PathSeparator,
    /// Any other character.
    Sign(char),
}

/// A token and its line, from 1.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Located {
    pub token: Token,
    pub line: usize,
}

/// The tokens of a file that compiles.
pub fn tokens(source: &str) -> Vec<Located> {
    let mut lexer = Lexer { rest: source, line: 1, tokens: Vec::new() };
    while lexer.step() {}
    lexer.tokens
}

struct Lexer<'a> {
    rest: &'a str,
    line: usize,
    tokens: Vec<Located>,
}

impl Lexer<'_> {
    /// Reads one token or skips one comment or space; `false` at the end.
    fn step(&mut self) -> bool {
        let Some(first) = self.rest.chars().next() else { return false };
        if self.rest.starts_with("//") {
            self.skip(self.rest.find('\n').unwrap_or(self.rest.len()));
        } else if self.rest.starts_with("/*") {
            self.block_comment();
        } else if let Some((prefix, hashes)) = text_start(self.rest) {
            self.text(prefix, hashes);
        } else if first == '\'' {
            self.character_or_lifetime();
        } else if first.is_alphanumeric() || first == '_' {
            self.name();
        } else if self.rest.starts_with("::") {
            self.push(Token::PathSeparator, 2);
        } else if first.is_whitespace() {
            self.skip(first.len_utf8());
        } else {
            self.push(Token::Sign(first), first.len_utf8());
        }
        true
    }

    fn skip(&mut self, bytes: usize) {
        let (skipped, rest) = self.rest.split_at(bytes);
        self.line += skipped.matches('\n').count();
        self.rest = rest;
    }

    fn push(&mut self, token: Token, bytes: usize) {
        self.tokens.push(Located { token, line: self.line });
        self.skip(bytes);
    }

    fn block_comment(&mut self) {
        let mut depth = 0;
        loop {
            if self.rest.starts_with("/*") {
                depth += 1;
                self.skip(2);
            } else if self.rest.starts_with("*/") {
                depth -= 1;
                self.skip(2);
            } else {
                self.skip(self.rest.chars().next().expect("a comment ends before its file").len_utf8());
            }
            if depth == 0 {
                return;
            }
        }
    }

    /// A literal that begins with `prefix` bytes up to its quote; raw, with so many hashes, where `hashes` says so.
    fn text(&mut self, prefix: usize, hashes: Option<usize>) {
        let inside = &self.rest[prefix..];
        let length = if let Some(hashes) = hashes {
            inside.find(&format!("\"{}", "#".repeat(hashes))).expect("a raw text ends")
        } else {
            let mut escaped = false;
            inside
                .find(|c| {
                    let ends = c == '"' && !escaped;
                    escaped = c == '\\' && !escaped;
                    ends
                })
                .expect("a text ends")
        };
        let content = inside[..length].to_owned();
        self.push(Token::Text(content), prefix + length + 1 + hashes.unwrap_or_default());
    }

    fn character_or_lifetime(&mut self) {
        let mut chars = self.rest.char_indices().skip(1);
        let (_, first) = chars.next().expect("something follows a quote");
        if first == '\\' {
            // Its end is the first quote behind the escaped character, which may be a quote itself.
            let end = self.rest[3..].find('\'').expect("a character ends");
            return self.skip(3 + end + 1);
        }
        match chars.next() {
            Some((at, '\'')) => self.skip(at + 1),
            _ => self.skip(1),
        }
    }

    fn name(&mut self) {
        let raw = self.rest.strip_prefix("r#");
        let name: String = raw.unwrap_or(self.rest).chars().take_while(|c| c.is_alphanumeric() || *c == '_').collect();
        let bytes = name.len() + if raw.is_some() { 2 } else { 0 };
        self.push(Token::Name(name), bytes);
    }
}

/// The beginning of a literal of text: the length up to its quote, and for a raw one the number of its hashes.
fn text_start(rest: &str) -> Option<(usize, Option<usize>)> {
    let letters = rest.find(|c| !matches!(c, 'b' | 'c' | 'r')).filter(|&at| at <= 2)?;
    let raw = rest[..letters].ends_with('r');
    let hashes = if raw { rest[letters..].find(|c| c != '#')? } else { 0 };
    rest[letters + hashes..].starts_with('"').then_some((letters + hashes + 1, raw.then_some(hashes)))
}

#[test]
fn comments_texts_and_lifetimes_are_told_apart() {
    let source = "use a::b; /* x::y /* */ */ // c::d\nfn f<'a>(_: &'a str) -> char { '\\'' } const R: &str = r#\"e\"::g\"#; r#mod 'h' b\"\\\"i\"";
    let shown: Vec<String> = tokens(source)
        .into_iter()
        .map(|Located { token, line }| match token {
            Token::Name(name) => format!("{name}{line}"),
            Token::Text(text) => format!("<{text}>"),
            Token::PathSeparator => "::".to_owned(),
            Token::Sign(sign) => sign.to_string(),
        })
        .collect();
    assert_eq!(
        shown.join(" "),
        "use1 a1 :: b1 ; fn2 f2 < a2 > ( _2 : & a2 str2 ) - > char2 { } const2 R2 : & str2 = <e\"::g> ; mod2 <\\\"i>"
    );
}
