//! The events of a request, while its records are read.

use opentelemetry_proto::tonic::common::v1::InstrumentationScope;
use opentelemetry_proto::tonic::logs::v1::LogRecord;
use opentelemetry_proto::tonic::resource::v1::Resource;
use trailkeeper_domain::{Error, ErrorDetail, Result};

use crate::event_body::ParsedEvent;
use crate::otlp::draft;

/// The largest record, resource or scope, in bytes.
pub const MAX_RECORD: usize = 256 * 1024;

/// The events so far, and what the next records have in common.
pub struct Records {
    events: Vec<ParsedEvent>,
    max: usize,
    /// The resource of the next records.
    pub resource: Origin<Resource>,
    /// The scope of the next records.
    pub scope: Origin<InstrumentationScope>,
}

/// A resource or scope, with its bytes for the ids of records.
#[derive(Default)]
pub struct Origin<M> {
    message: M,
    bytes: Vec<u8>,
}

impl<M: prost::Message> Origin<M> {
    pub fn of(message: M) -> Self {
        let bytes = message.encode_to_vec();
        Self { message, bytes }
    }
}

impl Records {
    /// No records yet, of at most `max`.
    pub fn new(max: usize) -> Self {
        Self { events: Vec::new(), max, resource: Origin::default(), scope: Origin::default() }
    }

    /// The events, in the order of the records.
    pub fn finish(self) -> Vec<ParsedEvent> {
        self.events
    }

    /// Makes room for one more record. [`Error::TooLarge`] if there are `max` of them.
    pub fn next(&mut self) -> Result<()> {
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

    /// Adds the event of a record.
    pub fn add(&mut self, record: Result<LogRecord>) {
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
pub fn too_large(what: &str, size: usize) -> Error {
    Error::invalid(what, format!("has {size} bytes; at most {MAX_RECORD} are allowed"))
}
