//! From the bytes of `POST /v1/events` to drafts: announced, unpacked, then cut into events by `items`.

use std::io::Read;

use actix_web::HttpRequest;
use actix_web::http::header;
use flate2::bufread::MultiGzDecoder;
use trailkeeper_domain::{Error, ErrorDetail, Result, text};

use crate::extract::body;
use crate::native::events::items::{self, Draft};
use crate::settings::{MAX_BODY_BYTES, MAX_EVENTS};

/// How a body is to be understood, by its headers.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Form {
    lines: bool,
    gzip: bool,
}

impl Form {
    /// Reads `Content-Type` (absent: JSON) and `Content-Encoding` (absent: none).
    pub fn of(request: &HttpRequest) -> Result<Self> {
        let lines = match body::media_type(request).as_deref() {
            None | Some("application/json") => false,
            Some("application/x-ndjson") => true,
            Some(other) => {
                return Err(Error::invalid(
                    "Content-Type",
                    format!(
                        "'{}' is not understood here; send application/json or application/x-ndjson",
                        text::shown(other)
                    ),
                ));
            }
        };
        let Some(encoding) = request.headers().get(header::CONTENT_ENCODING) else {
            return Ok(Self { lines, gzip: false });
        };
        let encoding = String::from_utf8_lossy(encoding.as_bytes()).trim().to_ascii_lowercase();
        match encoding.as_str() {
            "gzip" | "x-gzip" => Ok(Self { lines, gzip: true }),
            "identity" | "" => Ok(Self { lines, gzip: false }),
            other => Err(Error::invalid(
                "Content-Encoding",
                format!("'{}' is not understood here; send gzip, or the body as it is", text::shown(other)),
            )),
        }
    }

    /// Whether the body is as long as it says, with nothing to unpack.
    pub fn is_plain(self) -> bool {
        !self.gzip
    }

    /// Reads the events of a body. What is an event with faults is an `Err` in its place; an `Err` of
    /// the whole means that nothing in the body is an event, or more than a request may hold.
    pub fn read(self, bytes: &[u8]) -> Result<Vec<Draft>> {
        let unpacked;
        let bytes = if self.gzip {
            unpacked = gunzip(bytes)?;
            &unpacked
        } else {
            bytes
        };
        items::read(bytes, self.lines, MAX_EVENTS)
    }
}

/// Unpacks at most [`MAX_BODY_BYTES`]: a bomb stops there, whatever it claims to hold.
fn gunzip(packed: &[u8]) -> Result<Vec<u8>> {
    let limit = MAX_BODY_BYTES as u64;
    let mut unpacked = Vec::new();
    MultiGzDecoder::new(packed).take(limit + 1).read_to_end(&mut unpacked).map_err(|error| {
        Error::Invalid(ErrorDetail::of(
            "Content-Encoding",
            "invalid_gzip",
            format!("is gzip, but the body is not: {error}; pack it anew, or send it as it is without the header"),
        ))
    })?;
    if unpacked.len() > MAX_BODY_BYTES { Err(body::too_large(MAX_BODY_BYTES)) } else { Ok(unpacked) }
}

#[cfg(test)]
mod tests {
    use super::*;

    const JSON: Form = Form { lines: false, gzip: false };
    const NDJSON: Form = Form { lines: true, gzip: false };

    fn outcome(form: Form, body: &[u8]) -> String {
        match form.read(body) {
            Ok(drafts) => drafts.iter().map(|draft| if draft.is_ok() { 'x' } else { '-' }).collect(),
            Err(Error::Invalid(fault) | Error::TooLarge(fault)) => fault.code.to_owned(),
            Err(other) => panic!("{other}"),
        }
    }

    #[test]
    fn each_event_is_judged_alone_and_what_is_none_at_all_is_refused() {
        for (form, body, expected) in [
            (JSON, r#"{"type":"a"}"#, "x"),
            (JSON, r#" [ {"type":"a"} , {"typ":"a"}, 7, "x", {"type":"b"} ] "#, "x---x"),
            (JSON, r#"{"typ":"a"}"#, "-"),
            (JSON, "", "no_events"),
            (JSON, " \r\n", "no_events"),
            (JSON, "[]", "no_events"),
            (JSON, "[1,[],null]", "no_events"),
            (JSON, "7", "not_an_object"),
            (JSON, "null", "not_an_object"),
            (JSON, "[{\"type\":\"a\"}", "malformed_json"),
            (JSON, "[{\"type\":\"a\"}] x", "malformed_json"),
            (JSON, "{\"type\":\"a\"}\n{\"type\":\"b\"}", "malformed_json"),
            (NDJSON, "{\"type\":\"a\"}\r\n\n  \nnot json\n{\"type\":\"b\"}", "x-x"),
            (NDJSON, "\n\n", "no_events"),
            (NDJSON, "not json", "malformed_json"),
            (NDJSON, "no\nno", "no_events"),
            (NDJSON, "[{\"type\":\"a\"}]", "not_an_object"),
        ] {
            assert_eq!(outcome(form, body.as_bytes()), expected, "{body}");
        }
        assert_eq!(outcome(NDJSON, b"{\"type\":\"a\"}\n\xff\xfe\n"), "x-");
        assert_eq!(outcome(JSON, b"[{\"type\":\"a\"},\"\xff\"]"), "malformed_json");
    }

    #[test]
    fn the_limit_counts_events_and_memory_follows_it() {
        let array = |count: usize| format!("[{}]", vec!["{\"type\":\"a\"}"; count].join(","));
        assert_eq!(outcome(JSON, array(MAX_EVENTS).as_bytes()).len(), MAX_EVENTS);
        assert_eq!(outcome(JSON, array(MAX_EVENTS + 1).as_bytes()), "too_many_events");
        let lines = "{\"type\":\"a\"}\n".repeat(MAX_EVENTS + 1);
        assert_eq!(outcome(NDJSON, lines.as_bytes()), "too_many_events");
        let many = format!("[{}]", "1,".repeat(100_000) + "1");
        assert!(JSON.read(many.as_bytes()).unwrap_err().to_string().contains("100001"));
    }
}
