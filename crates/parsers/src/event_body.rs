//! The body of `POST /v1/events`, split into events that are parsed one by one.
//!
//! ```
//! use trailkeeper_parsers::event_body::{self, Syntax};
//!
//! let events = event_body::parse(br#"[{"type":"page_load"}, {"typ":"logout"}]"#, Syntax::Json, 5_000)?;
//! assert!(events[0].is_ok());
//! assert!(events[1].is_err(), "an error in one event leaves the others alone");
//! # Ok::<(), trailkeeper_domain::Error>(())
//! ```

use std::fmt;

use serde::de::{Deserializer, IgnoredAny, SeqAccess, Visitor};
use serde_json::value::RawValue;
use trailkeeper_domain::event::{EventDraft, Unreadable};
use trailkeeper_domain::json::{MALFORMED_JSON, utf8_or_escapes, without_mark};
use trailkeeper_domain::{Error, ErrorDetail, Result};

use crate::cloud_events;

/// An event as it was sent, or the error in it.
pub type ParsedEvent = Result<EventDraft, Unreadable>;

/// How a body lists its events.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Syntax {
    /// One JSON object, or an array of them.
    Json,
    /// One JSON object on each line; blank lines are skipped.
    NdJson,
    /// One `CloudEvents` event in the structured mode.
    CloudEvent,
    /// An array of `CloudEvents` events.
    CloudEventBatch,
}

/// Parses the events of an uncompressed body, in the order sent, at most `max`.
///
/// A byte order mark before the body, or at the start of a line, is skipped. An invalid event is an `Err` at its position.
/// The whole is an error if the body is not valid JSON, if nothing in it is a JSON object, or if it has more than `max`
/// items.
pub fn parse(bytes: &[u8], syntax: Syntax, max: usize) -> Result<Vec<ParsedEvent>> {
    let bytes = without_mark(bytes.trim_ascii_start());
    let events: Vec<_> = if syntax == Syntax::NdJson {
        lines(bytes, max)?.into_iter().map(EventDraft::read).collect()
    } else if syntax == Syntax::CloudEvent {
        vec![cloud_events::structured(bytes)]
    } else if syntax == Syntax::CloudEventBatch {
        let events = utf8_or_escapes(bytes);
        elements(&events, max)?.into_iter().map(|event| cloud_events::structured(event.get().as_bytes())).collect()
    } else if bytes.trim_ascii_start().starts_with(b"[") {
        elements(&utf8_or_escapes(bytes), max)?
            .into_iter()
            .map(|element| EventDraft::read(element.get().as_bytes()))
            .collect()
    } else if bytes.trim_ascii().is_empty() {
        Vec::new()
    } else {
        vec![EventDraft::read(bytes)]
    };
    reject_without_objects(events)
}

fn lines(bytes: &[u8], max: usize) -> Result<Vec<&[u8]>> {
    let lines = || bytes.split(|byte| *byte == b'\n').map(content).filter(|line| !line.is_empty());
    match lines().count() {
        count if count > max => Err(too_many(count, max)),
        _ => Ok(lines().collect()),
    }
}

fn content(line: &[u8]) -> &[u8] {
    without_mark(line.trim_ascii()).trim_ascii()
}

fn elements(text: &str, max: usize) -> Result<Vec<&RawValue>> {
    let mut reader = serde_json::Deserializer::from_str(text);
    let elements = reader
        .deserialize_seq(Elements { max })
        .and_then(|elements| reader.end().map(|()| elements))
        .map_err(|error| Error::malformed(MALFORMED_JSON, format!("the body is not valid JSON: {error}")))?;
    if elements.count > max { Err(too_many(elements.count, max)) } else { Ok(elements.first) }
}

/// Collects the elements of an array unparsed, so that an error in one leaves the others alone. Elements over the limit
/// are counted and dropped, so that memory follows the limit.
struct Elements {
    max: usize,
}

struct Counted<'a> {
    first: Vec<&'a RawValue>,
    count: usize,
}

impl<'de> Visitor<'de> for Elements {
    type Value = Counted<'de>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a list of events")
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut access: A) -> Result<Counted<'de>, A::Error> {
        let mut first = Vec::new();
        while first.len() < self.max {
            match access.next_element()? {
                Some(element) => first.push(element),
                None => return Ok(Counted { count: first.len(), first }),
            }
        }
        let mut count = first.len();
        while access.next_element::<IgnoredAny>()?.is_some() {
            count += 1;
        }
        Ok(Counted { first, count })
    }
}

fn too_many(count: usize, max: usize) -> Error {
    Error::TooLarge(ErrorDetail::new(
        "too_many_events",
        format!("the body has {count} events; at most {max} are allowed in one request: send several requests"),
    ))
}

/// Rejects a body without any JSON object: its sender meant to send something other than events.
fn reject_without_objects(mut events: Vec<ParsedEvent>) -> Result<Vec<ParsedEvent>> {
    let no_object = |event: &ParsedEvent| matches!(event, Err(Unreadable { error: Error::Invalid(fault), .. }) if fault.field.is_none() && [MALFORMED_JSON, "not_an_object"].contains(&fault.code));
    if !events.iter().all(no_object) {
        return Ok(events);
    }
    match (events.len(), events.pop()) {
        (1, Some(Err(unreadable))) => Err(unreadable.error),
        (0, _) => Err(Error::malformed(
            "no_events",
            "the body holds no event; send a JSON object, a list of them, or one on each line as application/x-ndjson",
        )),
        (count, _) => Err(Error::malformed(
            "no_events",
            format!(
                "none of the {count} items of the body is an event; send a JSON object, a list of them, or one on each line as application/x-ndjson"
            ),
        )),
    }
}

#[cfg(test)]
mod tests {
    use super::Syntax::{Json, NdJson};
    use super::*;

    const MAX: usize = 5_000;

    /// `x` for a valid event, `-` for an invalid one; the code of the error if the whole body is rejected.
    fn outcome(syntax: Syntax, body: &[u8]) -> String {
        match parse(body, syntax, MAX) {
            Ok(events) => events.iter().map(|event| if event.is_ok() { 'x' } else { '-' }).collect(),
            Err(Error::Invalid(fault) | Error::TooLarge(fault)) => fault.code.to_owned(),
            Err(other) => panic!("{other}"),
        }
    }

    #[test]
    fn each_event_is_parsed_by_itself_and_a_body_without_objects_is_rejected() {
        for (syntax, body, expected) in [
            (Json, r#"{"type":"a"}"#, "x"),
            (Json, r#" [ {"type":"a"} , {"typ":"a"}, 7, "x", {"type":"b"} ] "#, "x---x"),
            (Json, r#"{"typ":"a"}"#, "-"),
            (Json, "", "no_events"),
            (Json, " \r\n", "no_events"),
            (Json, "[]", "no_events"),
            (Json, "[1,[],null]", "no_events"),
            (Json, "7", "not_an_object"),
            (Json, "null", "not_an_object"),
            (Json, "[{\"type\":\"a\"}", "malformed_json"),
            (Json, "[{\"type\":\"a\"}] x", "malformed_json"),
            (Json, "{\"type\":\"a\"}\n{\"type\":\"b\"}", "malformed_json"),
            (NdJson, "{\"type\":\"a\"}\r\n\n  \nnot json\n{\"type\":\"b\"}", "x-x"),
            (NdJson, "\n\n", "no_events"),
            (NdJson, "not json", "malformed_json"),
            (NdJson, "no\nno", "no_events"),
            (NdJson, "[{\"type\":\"a\"}]", "not_an_object"),
        ] {
            assert_eq!(outcome(syntax, body.as_bytes()), expected, "{body}");
        }
        assert_eq!(outcome(NdJson, b"{\"type\":\"a\"}\n\xff\xfe\n"), "x-");
        assert_eq!(outcome(Json, b"[{\"type\":\"a\"},\"\xff\",{\"type\":\"\xff\"}]"), "x--");
        assert_eq!(outcome(Json, b"[{\"type\":\"a\"},\xff]"), "malformed_json");
    }

    #[test]
    fn the_limit_counts_events_and_memory_follows_it() {
        let array = |count: usize| format!("[{}]", vec!["{\"type\":\"a\"}"; count].join(","));
        assert_eq!(outcome(Json, array(MAX).as_bytes()).len(), MAX);
        assert_eq!(outcome(Json, array(MAX + 1).as_bytes()), "too_many_events");
        let lines = "{\"type\":\"a\"}\n".repeat(MAX + 1);
        assert_eq!(outcome(NdJson, lines.as_bytes()), "too_many_events");
        let many = format!("[{}]", "1,".repeat(100_000) + "1");
        assert!(parse(many.as_bytes(), Json, MAX).unwrap_err().to_string().contains("100001"));
    }

    #[test]
    fn byte_order_marks_are_skipped() {
        const MARK: &str = "\u{feff}";
        for (syntax, body, expected) in [
            (Json, "^{\"type\":\"a\"}", "x"),
            (Json, " ^ [{\"type\":\"a\"}]", "x"),
            (Json, "^", "no_events"),
            (NdJson, "^{\"type\":\"a\"}\r\n^{\"type\":\"b\"}\n ^ {\"type\":\"c\"}\n^\r\n", "xxx"),
            (NdJson, "^\n^", "no_events"),
            (Json, "[^{\"type\":\"a\"}]", "malformed_json"),
        ] {
            assert_eq!(outcome(syntax, body.replace('^', MARK).as_bytes()), expected, "{body}");
        }
    }
}
