//! Requests as protocol buffers, cut into their records without decoding them.

use prost::encoding::{DecodeContext, WireType, decode_key, decode_varint, skip_field};
use prost::{DecodeError, Message};
use trailkeeper_domain::{Error, Result};

use crate::otlp::records::{MAX_RECORD, Origin, Records, too_large};

/// Number of the field of a request with its `ResourceLogs`.
const RESOURCE_LOGS: u32 = 1;
/// Number of the field of `ResourceLogs` with its `ScopeLogs`.
const SCOPE_LOGS: u32 = 2;
/// Number of the field of `ScopeLogs` with its records.
const LOG_RECORDS: u32 = 2;
/// Number of the field with the resource of `ResourceLogs`, or the scope of `ScopeLogs`.
const ORIGIN: u32 = 1;

pub fn read(bytes: &[u8], records: &mut Records) -> Result<()> {
    each(bytes, RESOURCE_LOGS, |of_resource| {
        records.resource = origin("resource", of_resource)?;
        each(of_resource, SCOPE_LOGS, |of_scope| {
            records.scope = origin("scope", of_scope)?;
            each(of_scope, LOG_RECORDS, |record| {
                records.next()?;
                let decoded = if record.len() > MAX_RECORD {
                    Err(too_large("record", record.len()))
                } else {
                    Message::decode(record).map_err(malformed)
                };
                records.add(decoded);
                Ok(())
            })
        })
    })
}

/// The resource or scope of a message; the default if it has none.
fn origin<M: Message + Default>(what: &str, message: &[u8]) -> Result<Origin<M>> {
    let mut found: &[u8] = &[];
    each(message, ORIGIN, |origin| {
        found = origin;
        Ok(())
    })?;
    if found.len() > MAX_RECORD {
        return Err(too_large(what, found.len()));
    }
    M::decode(found).map(Origin::of).map_err(malformed)
}

/// Calls `handle` with each message in the field `wanted`. Other fields are ignored.
fn each<'a>(mut message: &'a [u8], wanted: u32, mut handle: impl FnMut(&'a [u8]) -> Result<()>) -> Result<()> {
    while !message.is_empty() {
        let (tag, wire_type) = decode_key(&mut message).map_err(malformed)?;
        if wire_type != WireType::LengthDelimited {
            skip_field(wire_type, tag, &mut message, DecodeContext::default()).map_err(malformed)?;
            continue;
        }
        let length = decode_varint(&mut message).map_err(malformed)?;
        let parts = usize::try_from(length).ok().and_then(|length| message.split_at_checked(length));
        let (part, rest) = parts.ok_or_else(|| malformed("a field is longer than its message"))?;
        message = rest;
        if tag == wanted {
            handle(part)?;
        }
    }
    Ok(())
}

fn malformed(error: impl Into<Malformed>) -> Error {
    let Malformed(error) = error.into();
    Error::malformed(
        "malformed_protobuf",
        format!("this is no ExportLogsServiceRequest of OTLP: {error}; send one, or JSON as application/json"),
    )
}

struct Malformed(String);

impl From<DecodeError> for Malformed {
    fn from(error: DecodeError) -> Self {
        Self(error.to_string())
    }
}

impl From<&str> for Malformed {
    fn from(error: &str) -> Self {
        Self(error.to_owned())
    }
}
