//! Log records of OpenTelemetry as events: requests of OTLP/HTTP for logs, as protocol buffers or JSON.
//!
//! `docs/opentelemetry.md` has the table. A request is cut into its records, and one record at a time is decoded: decoded
//! messages may be fifty times as large as their bytes.

mod answer;
mod draft;
mod encoding;
mod json;
mod protobuf;
mod records;

use trailkeeper_domain::Result;

pub use answer::{status, success};
pub use encoding::Encoding;
pub use records::MAX_RECORD;
use records::Records;

use crate::event_body::ParsedEvent;

/// The events of a request, in the order of its records, at most `max`.
///
/// A record that is no event is an `Err` at its position. The whole is an error if the request cannot be decoded, or if
/// it has more than `max` records.
pub fn parse(bytes: &[u8], encoding: Encoding, max: usize) -> Result<Vec<ParsedEvent>> {
    let mut records = Records::new(max);
    match encoding {
        Encoding::Protobuf => protobuf::read(bytes, &mut records)?,
        Encoding::Json => json::read(bytes, &mut records)?,
    }
    Ok(records.finish())
}
