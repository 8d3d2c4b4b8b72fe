//! The directives of Apache's `LogFormat`.

use trailkeeper_domain::text::shown;

use super::field::{Content, Field, Part};

/// The parts of a format. `%U%q` is one field.
pub fn parts(format: &str) -> Result<Vec<Part>, String> {
    let mut parts: Vec<Part> = Vec::new();
    let mut literal = String::new();
    let mut rest = format;
    while let Some(c) = rest.chars().next() {
        let after = rest.get(c.len_utf8()..).unwrap_or_default();
        rest = match (c, after.chars().next()) {
            // As the configuration file has it.
            ('\\', Some(escaped @ ('"' | '\\' | 't'))) => {
                literal.push(if escaped == 't' { '\t' } else { escaped });
                after.get(1..).unwrap_or_default()
            }
            ('%', Some('%')) => {
                literal.push('%');
                after.get(1..).unwrap_or_default()
            }
            ('%', _) => {
                let (field, after) = directive(after)?;
                if !literal.is_empty() {
                    parts.push(Part::Literal(std::mem::take(&mut literal)));
                }
                match (parts.last_mut(), field) {
                    (Some(Part::Field(path)), Field { name, content: Content::Query })
                        if path.content == Content::Path =>
                    {
                        *path = Field::new(format!("{}{name}", path.name), Content::PathAndQuery);
                    }
                    (_, field) => parts.push(Part::Field(field)),
                }
                after
            }
            _ => {
                literal.push(c);
                after
            }
        };
    }
    if !literal.is_empty() {
        parts.push(Part::Literal(literal));
    }
    Ok(parts)
}

/// Reads a directive after its `%`: statuses and `<` or `>`, which choose when or of which request it is written, an
/// argument in braces, and a letter, or `^` and two.
fn directive(text: &str) -> Result<(Field, &str), String> {
    let modified = text.trim_start_matches(|c: char| c.is_ascii_digit() || "!,<>".contains(c));
    let (argument, after) = match modified.strip_prefix('{') {
        Some(inside) => {
            let (argument, after) = inside.split_once('}').ok_or("the '}' of '%{' is missing")?;
            (Some(argument), after)
        }
        None => (None, modified),
    };
    let length = if after.starts_with('^') { 3 } else { 1 };
    let (letters, rest) = after
        .split_at_checked(length)
        .filter(|(letters, _)| letters.trim_start_matches('^').bytes().all(|b| b.is_ascii_alphabetic()))
        .ok_or_else(|| format!("'%{}' is no directive", shown(text)))?;
    let name = text.get(..text.len() - rest.len()).unwrap_or(text);
    Ok((Field::new(format!("%{name}"), content(letters, argument)?), rest))
}

fn content(letters: &str, argument: Option<&str>) -> Result<Content, String> {
    let header = argument.map(str::to_ascii_lowercase);
    Ok(match (letters, header.as_deref()) {
        ("h", _) | ("a", None) => Content::Host,
        ("i", Some("x-forwarded-for")) => Content::ForwardedFor,
        ("v" | "V", _) | ("i", Some("host")) => Content::VirtualHost,
        ("l", _) => Content::Ident,
        ("u", _) => Content::User,
        ("t", None) => Content::BracketedTime,
        ("t", Some(_)) => time(argument.unwrap_or_default())?,
        ("r", _) => Content::Request,
        ("m", _) => Content::Method,
        ("U", _) => Content::Path,
        ("q", _) => Content::Query,
        ("s", _) => Content::Status,
        ("i", Some("referer")) => Content::Referer,
        ("i", Some("user-agent")) => Content::UserAgent,
        _ => Content::Skipped { is_free: matches!(letters, "i" | "o" | "C" | "e" | "n" | "x" | "f" | "^ti" | "^to") },
    })
}

/// The form of `%{form}t`.
fn time(argument: &str) -> Result<Content, String> {
    let form = argument.strip_prefix("begin:").or_else(|| argument.strip_prefix("end:")).unwrap_or(argument);
    match form {
        "sec" => Ok(Content::UnixTime { per_second: 1 }),
        "msec" => Ok(Content::UnixTime { per_second: 1_000 }),
        "usec" => Ok(Content::UnixTime { per_second: 1_000_000 }),
        "" => Ok(Content::BracketedTime),
        _ if form.contains("%z") || form.contains("%s") => Ok(Content::FormedTime(form.to_owned())),
        _ => Err(format!("the time '%{{{argument}}}t' has no offset: add %z, or write %t")),
    }
}
