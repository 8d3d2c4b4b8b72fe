//! Request lines.

use std::borrow::Cow;

use crate::access_log::escape::{legible, unescaped};

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

impl<'a> Request<'a> {
    /// Reads the request line as the log has it.
    pub(super) fn read(written: &'a str) -> Self {
        if matches!(written, "-" | "") {
            return Self::Nothing;
        }
        http(&unescaped(written)).unwrap_or_else(|| Self::Other(legible(written)))
    }

    /// Reads a request line in which nothing is escaped.
    pub(super) fn of_text(text: &'a str) -> Self {
        if matches!(text, "-" | "") {
            return Self::Nothing;
        }
        http(text).unwrap_or(Self::Other(text.into()))
    }
}

/// The request of a method and of path and query, in which nothing is escaped.
pub(super) fn of_parts(method: &str, path: &str) -> Request<'static> {
    if matches!(method, "-" | "") && matches!(path, "-" | "") {
        return Request::Nothing;
    }
    http(&format!("{method} {path} HTTP/1.1")).unwrap_or_else(|| Request::Other(format!("{method} {path}").into()))
}

fn http(request: &str) -> Option<Request<'static>> {
    let (method, rest) = request.split_once(' ')?;
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
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn requests_are_read_and_other_texts_are_kept() {
        for (written, method, path) in [
            ("GET /a?b=c HTTP/1.1", "GET", "/a?b=c"),
            ("POST /a b HTTP/1.0", "POST", "/a b"),
            ("GET /", "GET", "/"),
            ("CONNECT example.com:443 HTTP/2.0", "CONNECT", "example.com:443"),
            (r"GET /caf\xC3\xA9?q=\x22x\x22 HTTP/1.1", "GET", "/café?q=\"x\""),
            (r#"GET /\"x\"\\y HTTP/1.1"#, "GET", "/\"x\"\\y"),
            (r"GET /\xff HTTP/1.1", "GET", r"/\xff"),
        ] {
            let expected = Request::Http { method: method.to_owned(), path: path.to_owned() };
            assert_eq!(Request::read(written), expected, "{written}");
        }
        for other in [r"\x16\x03\x01", "get / HTTP/1.1", "quit", "SSH-2.0-Go", "GET  HTTP/1.1"] {
            assert_eq!(Request::read(other), Request::Other(other.into()), "{other}");
        }
        assert_eq!(Request::read(r"\x22quit\x22"), Request::Other("\"quit\"".into()));
        assert_eq!(Request::read("-"), Request::Nothing);
        assert_eq!(Request::read(""), Request::Nothing);
    }
}
