//! Imports events from NDJSON: the objects that `POST /v1/events` takes, or those that an export writes.

use trailkeeper_domain::event::EventDraft;

use crate::failure::Failure;
use crate::import::batch::{Batch, Recording};
use crate::import::source::Source;
use crate::import::summary::Summary;
use crate::wiring::Ports;

/// Records the event of every valid line.
pub fn import_events(
    ports: &Ports,
    mut source: Source,
    recording: Recording,
    summary: &mut Summary,
) -> Result<(), Failure> {
    let mut batch = Batch::new(ports, recording, summary)?;
    let read = source.each_line(|number, content| {
        let bytes = content.as_ref().map_or(0, |content| content.len());
        batch.add(number, bytes, content.and_then(EventDraft::from_file))
    });
    // Lines before a defect of the file are recorded, and the summary counts them.
    batch.record()?;
    read
}
