//! Cuts the body of `POST /v1/events` into events, each read alone. Free of actix: `fuzz/` reads this file too.

use std::fmt;

use serde::de::{Deserializer, IgnoredAny, SeqAccess, Visitor};
use serde_json::value::RawValue;
use trailkeeper_domain::event::{EventDraft, Unreadable};
use trailkeeper_domain::json::MALFORMED_JSON;
use trailkeeper_domain::{Error, ErrorDetail, Result};

/// An event as it was sent, or why it cannot be read.
pub type Draft = Result<EventDraft, Unreadable>;

/// Reads the events of an unpacked body, NDJSON where `by_line`, else JSON, at most `max`. What is an event with
/// faults is an `Err` in its place; an `Err` of the whole means that nothing in the body is an event, or more
/// than a request may hold.
pub fn read(bytes: &[u8], by_line: bool, max: usize) -> Result<Vec<Draft>> {
    let drafts: Vec<_> = if by_line {
        lines(bytes, max)?.into_iter().map(EventDraft::read).collect()
    } else if bytes.trim_ascii_start().starts_with(b"[") {
        elements(bytes, max)?.into_iter().map(|element| EventDraft::read(element.get().as_bytes())).collect()
    } else if bytes.trim_ascii().is_empty() {
        Vec::new()
    } else {
        vec![EventDraft::read(bytes)]
    };
    some_events(drafts)
}

fn lines(bytes: &[u8], max: usize) -> Result<Vec<&[u8]>> {
    let lines = || bytes.split(|byte| *byte == b'\n').map(<[u8]>::trim_ascii).filter(|line| !line.is_empty());
    match lines().count() {
        count if count > max => Err(too_many(count, max)),
        _ => Ok(lines().collect()),
    }
}

fn elements(bytes: &[u8], max: usize) -> Result<Vec<&RawValue>> {
    let mut reader = serde_json::Deserializer::from_slice(bytes);
    let elements = reader
        .deserialize_seq(Elements { max })
        .and_then(|elements| reader.end().map(|()| elements))
        .map_err(|error| Error::malformed(MALFORMED_JSON, format!("the body is not valid JSON: {error}")))?;
    if elements.count > max { Err(too_many(elements.count, max)) } else { Ok(elements.first) }
}

/// The elements of an array as they stand in the body, unread: a fault in one is its own. Those past the
/// limit are counted and not kept, so that memory follows the limit.
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

/// Refuses a body in which nothing is a JSON object: that is no batch with faults, but something else.
fn some_events(mut drafts: Vec<Draft>) -> Result<Vec<Draft>> {
    let nothing = |draft: &Draft| matches!(draft, Err(Unreadable { error: Error::Invalid(fault), .. }) if fault.field.is_none() && [MALFORMED_JSON, "not_an_object"].contains(&fault.code));
    if !drafts.iter().all(nothing) {
        return Ok(drafts);
    }
    match (drafts.len(), drafts.pop()) {
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
