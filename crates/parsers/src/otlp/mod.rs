//! Log records of OpenTelemetry as events: requests of OTLP/HTTP for logs, as protocol buffers or JSON.
//!
//! `docs/opentelemetry.md` has the table. A request is cut into its records, and one record at a time is decoded: decoded
//! messages may be fifty times as large as their bytes.

mod answer;
mod draft;
mod json;
mod protobuf;

use opentelemetry_proto::tonic::common::v1::InstrumentationScope;
use opentelemetry_proto::tonic::logs::v1::LogRecord;
use opentelemetry_proto::tonic::resource::v1::Resource;
use trailkeeper_domain::{Error, ErrorDetail, Result};

pub use answer::{status, success};

use crate::event_body::ParsedEvent;

/// The largest record, resource or scope, in bytes.
pub const MAX_RECORD: usize = 256 * 1024;

/// The encoding of a request, and of its answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Encoding {
    /// Protocol buffers.
    Protobuf,
    /// JSON, in the form that OTLP defines.
    Json,
}

impl Encoding {
    /// The encoding with this media type, in lower case and without parameters; `None` if there is none.
    pub fn of(media_type: &str) -> Option<Self> {
        [Self::Protobuf, Self::Json].into_iter().find(|encoding| encoding.media_type() == media_type)
    }

    /// The media type.
    pub fn media_type(self) -> &'static str {
        match self {
            Self::Protobuf => "application/x-protobuf",
            Self::Json => "application/json",
        }
    }
}

/// The events of a request, in the order of its records, at most `max`.
///
/// A record that is no event is an `Err` at its position. The whole is an error if the request cannot be decoded, or if
/// it has more than `max` records.
pub fn parse(bytes: &[u8], encoding: Encoding, max: usize) -> Result<Vec<ParsedEvent>> {
    let mut records = Records { events: Vec::new(), max, resource: Origin::default(), scope: Origin::default() };
    match encoding {
        Encoding::Protobuf => protobuf::read(bytes, &mut records)?,
        Encoding::Json => json::read(bytes, &mut records)?,
    }
    Ok(records.events)
}

/// The events so far, and what the next records have in common.
struct Records {
    events: Vec<ParsedEvent>,
    max: usize,
    resource: Origin<Resource>,
    scope: Origin<InstrumentationScope>,
}

/// A resource or scope, with its bytes for the ids of records.
#[derive(Default)]
struct Origin<M> {
    message: M,
    bytes: Vec<u8>,
}

impl<M: prost::Message> Origin<M> {
    fn of(message: M) -> Self {
        let bytes = message.encode_to_vec();
        Self { message, bytes }
    }
}

impl Records {
    /// Makes room for one more record. [`Error::TooLarge`] if there are `max` of them.
    fn next(&mut self) -> Result<()> {
        if self.events.len() < self.max {
            return Ok(());
        }
        Err(Error::TooLarge(ErrorDetail::new(
            "too_many_events",
            format!(
                "the request has more than {} log records; send smaller batches, for example by `send_batch_max_size` of the collector",
                self.max
            ),
        )))
    }

    fn add(&mut self, record: Result<LogRecord>) {
        let event = record.and_then(|record| {
            draft::draft(
                record,
                (&self.resource.message, &self.resource.bytes),
                (&self.scope.message, &self.scope.bytes),
            )
        });
        self.events.push(event.map_err(Into::into));
    }
}

/// The error for a part of a request that is larger than [`MAX_RECORD`].
fn too_large(what: &str, size: usize) -> Error {
    Error::invalid(what, format!("has {size} bytes; at most {MAX_RECORD} are allowed"))
}
