//! One line of the common or the combined log format:
//! `host ident user [time] "request" status bytes "referer" "user agent"`.

use std::borrow::Cow;

use chrono::{DateTime, Utc};
use trailkeeper_domain::time::{self, Timestamp};

/// The fields of one line, borrowed from its text.
#[derive(Debug, PartialEq, Eq)]
pub struct LogLine<'a> {
    /// Address or name of the client.
    pub host: &'a str,
    /// Name that the client logged in with.
    pub user: Option<&'a str>,
    /// Time of the request.
    pub at: Timestamp,
    /// The request line, as far as it could be read.
    pub request: Request<'a>,
    /// Status of the response, 100 to 999.
    pub status: u16,
    /// Page that linked to the requested one.
    pub referer: Option<Cow<'a, str>>,
    /// Program of the client.
    pub user_agent: Option<Cow<'a, str>>,
}

/// A request line. Anything but an HTTP request (a TLS greeting on a plain port, a port scan) is kept whole.
#[derive(Debug, PartialEq, Eq)]
pub enum Request<'a> {
    /// `GET /path HTTP/1.1`.
    Http {
        /// The method.
        method: String,
        /// Path and query as sent.
        path: String,
    },
    /// Text that is no HTTP request.
    Other(Cow<'a, str>),
    /// The client sent nothing.
    Nothing,
}

impl<'a> LogLine<'a> {
    /// Reads a line. The error is a sentence that names the broken field.
    pub fn parse(line: &'a str) -> Result<Self, String> {
        let (host, rest) = line.split_once(' ').ok_or("this is not an access log line: it has no fields")?;
        if host.is_empty() {
            return Err("this is not an access log line: it begins with a space".to_owned());
        }
        let (names, at, rest) = split_at_time(rest)?;
        let user =
            names.split_once(' ').map(|(_ident, user)| user).ok_or("has no user before the time; a '-' is missing")?;
        let (request, rest) = quoted(rest, "request")?;
        let (status, rest) = word(rest);
        let status = status
            .parse::<u16>()
            .ok()
            .filter(|number| status.len() == 3 && (100..=999).contains(number))
            .ok_or_else(|| format!("status: '{}' is not an HTTP status", shown(status)))?;
        let (bytes, rest) = word(rest);
        if bytes != "-" && (bytes.is_empty() || !bytes.bytes().all(|b| b.is_ascii_digit())) {
            return Err(format!("bytes: '{}' is not a number of bytes", shown(bytes)));
        }
        let (referer, user_agent) = if rest.trim().is_empty() {
            (None, None)
        } else {
            let (referer, rest) = quoted(rest, "referer")?;
            // Many servers log more fields after those of the combined format: they are ignored.
            let (user_agent, _) = quoted(rest, "user agent")?;
            (present(referer), present(user_agent))
        };
        Ok(Self {
            host,
            user: Some(user).filter(|user| !matches!(*user, "-" | "" | "\"\"")),
            at,
            request: request_of(request),
            status,
            referer,
            user_agent,
        })
    }
}

/// Splits at the first bracket that contains a time, such as `[17/May/2015:10:05:03 +0000]`: the name of a user may
/// contain brackets and spaces.
fn split_at_time(text: &str) -> Result<(&str, Timestamp, &str), String> {
    let mut from = 0;
    while let Some(open) = text.get(from..).and_then(|rest| rest.find('[')).map(|at| from + at) {
        let (before, after) = text.split_at(open);
        if let Some((inside, rest)) = after.strip_prefix('[').and_then(|after| after.split_once(']'))
            && let Ok(at) = DateTime::parse_from_str(inside, "%d/%b/%Y:%H:%M:%S %z")
        {
            let at = time::from_unix_seconds("time", at.with_timezone(&Utc).timestamp())
                .map_err(|error| error.to_string())?;
            let names = before.strip_suffix(' ').ok_or("has no user before the time; a '-' is missing")?;
            return Ok((names, at, rest));
        }
        from = open + 1;
    }
    Err("has no time such as [17/May/2015:10:05:03 +0000]".to_owned())
}

/// Takes a quoted field and gives it with the rest of the line. A backslash before a quote or a backslash is removed;
/// other escapes stay as the server wrote them, because they stand for characters that cannot be shown.
fn quoted<'a>(text: &'a str, field: &str) -> Result<(Cow<'a, str>, &'a str), String> {
    let inside = text
        .strip_prefix(' ')
        .and_then(|text| text.strip_prefix('"'))
        .ok_or_else(|| format!("{field}: is missing; expected a text in quotes"))?;
    let mut escaped = false;
    for (at, c) in inside.char_indices() {
        match c {
            '"' if !escaped => {
                let (content, rest) = inside.split_at(at);
                return Ok((unescaped(content), rest.strip_prefix('"').unwrap_or(rest)));
            }
            '\\' => escaped = !escaped,
            _ => escaped = false,
        }
    }
    Err(format!("{field}: the closing quote is missing; the line seems to be cut off"))
}

fn unescaped(content: &str) -> Cow<'_, str> {
    if !content.contains('\\') {
        return Cow::Borrowed(content);
    }
    let mut out = String::with_capacity(content.len());
    let mut chars = content.chars().peekable();
    while let Some(c) = chars.next() {
        match (c, chars.peek()) {
            ('\\', Some('"' | '\\')) => out.extend(chars.next()),
            (c, _) => out.push(c),
        }
    }
    Cow::Owned(out)
}

fn word(text: &str) -> (&str, &str) {
    let text = text.strip_prefix(' ').unwrap_or(text);
    text.split_at(text.find(' ').unwrap_or(text.len()))
}

fn present(text: Cow<'_, str>) -> Option<Cow<'_, str>> {
    Some(text).filter(|text| !matches!(text.as_ref(), "-" | ""))
}

fn request_of(request: Cow<'_, str>) -> Request<'_> {
    if matches!(request.as_ref(), "-" | "") {
        return Request::Nothing;
    }
    let http = request.split_once(' ').and_then(|(method, rest)| {
        let path = match rest.rsplit_once(' ') {
            Some((path, version)) if version.starts_with("HTTP/") => path,
            // HTTP/0.9 names no version.
            _ => rest,
        };
        let good = !method.is_empty()
            && method.len() <= 32
            && method.bytes().all(|b| b.is_ascii_uppercase() || b == b'-' || b == b'_')
            && !path.is_empty();
        good.then(|| Request::Http { method: method.to_owned(), path: path.to_owned() })
    });
    http.unwrap_or(Request::Other(request))
}

fn shown(text: &str) -> String {
    trailkeeper_domain::text::shown(text)
}

#[cfg(test)]
mod tests {
    use super::*;

    const COMBINED: &str = r#"83.149.9.216 - - [17/May/2015:10:05:03 +0200] "GET /a?b=c HTTP/1.1" 200 203023 "http://x.example/" "Mozilla/5.0 (X11)""#;

    #[test]
    fn the_combined_format_is_read() {
        assert_eq!(
            LogLine::parse(COMBINED).unwrap(),
            LogLine {
                host: "83.149.9.216",
                user: None,
                at: time::parse_rfc3339("t", "2015-05-17T08:05:03Z").unwrap(),
                request: Request::Http { method: "GET".to_owned(), path: "/a?b=c".to_owned() },
                status: 200,
                referer: Some("http://x.example/".into()),
                user_agent: Some("Mozilla/5.0 (X11)".into()),
            }
        );
    }

    #[test]
    fn the_common_format_and_its_variants_are_read() {
        let line = LogLine::parse(r#"h.example - jane [doe] [29/Feb/2024:23:59:59 -0130] "-" 408 -"#).unwrap();
        assert_eq!((line.host, line.user, line.status), ("h.example", Some("jane [doe]"), 408));
        assert_eq!(time::rfc3339(line.at), "2024-03-01T01:29:59Z");
        assert_eq!((line.request, line.referer, line.user_agent), (Request::Nothing, None, None));

        let line = LogLine::parse(
            r#"::1 - - [01/Jan/2026:00:00:00 +0000] "\x16\x03\x01" 400 0 "-" "a \"b\" \\ c" "10.0.0.1" 0.02"#,
        );
        let line = line.unwrap();
        assert_eq!(line.request, Request::Other(r"\x16\x03\x01".into()));
        assert_eq!(line.user_agent.as_deref(), Some(r#"a "b" \ c"#));

        let line = LogLine::parse(r#"::1 - - [01/Jan/2026:00:00:00 +0000] "GET /a b HTTP/1.0" 200 1"#).unwrap();
        assert_eq!(line.request, Request::Http { method: "GET".to_owned(), path: "/a b".to_owned() });
        let line = LogLine::parse(r#"::1 - - [01/Jan/2026:00:00:00 +0000] "GET /" 200 1"#).unwrap();
        assert_eq!(line.request, Request::Http { method: "GET".to_owned(), path: "/".to_owned() });
    }

    #[test]
    fn a_line_cut_off_anywhere_is_refused_or_a_common_line() {
        for end in (0..COMBINED.len()).filter_map(|end| COMBINED.get(..end)) {
            let common = end.matches('"').count() == 2 && end.contains("\" 200 2");
            assert_eq!(LogLine::parse(end).is_ok(), common, "{end}");
        }
    }

    #[test]
    fn errors_name_the_broken_field() {
        for (line, reason) in [
            ("", "it has no fields"),
            ("not a log line at all", "has no time such as"),
            (r#"h - - [31/Feb/2026:00:00:00 +0000] "GET / HTTP/1.1" 200 1"#, "has no time such as"),
            (r#"h [01/Jan/2026:00:00:00 +0000] "GET / HTTP/1.1" 200 1"#, "has no user before the time"),
            (r#"h - - [01/Jan/0001:00:00:00 +0000] "GET / HTTP/1.1" 200 1"#, "time: "),
            (r#"h - - [01/Jan/2026:00:00:00 +0000] "GET / HTTP/1.1" 2000 1"#, "status: '2000' is not an HTTP status"),
            (r#"h - - [01/Jan/2026:00:00:00 +0000] "GET / HTTP/1.1" 200 x"#, "bytes: 'x' is not a number"),
            (r#"h - - [01/Jan/2026:00:00:00 +0000] "GET / HTTP/1.1" 200 1 "-""#, "user agent: is missing"),
            (r#"h - - [01/Jan/2026:00:00:00 +0000] "GET / HTTP/1.1" 200 1 "-" "cut"#, "user agent: the closing quote"),
        ] {
            let message = LogLine::parse(line).unwrap_err();
            assert!(message.contains(reason), "{message}");
        }
    }
}
