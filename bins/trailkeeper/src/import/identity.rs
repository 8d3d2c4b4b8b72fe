//! Imports the exports of identity providers as events.

use trailkeeper_parsers::identity::Provider;

use crate::failure::Failure;
use crate::import::batch::{Batch, Recording};
use crate::import::source::Source;
use crate::import::summary::Summary;
use crate::wiring::Ports;

/// Records the event of every valid record.
pub fn import_records(
    ports: &Ports,
    mut source: Source,
    provider: Provider,
    recording: &Recording,
    summary: &mut Summary,
) -> Result<(), Failure> {
    let mut batch = Batch::new(ports, recording, summary)?;
    let read = source.each_record(provider.wrappers(), |number, record| {
        let bytes = record.as_ref().map_or(0, |record| record.len());
        batch.add(number, bytes, record.and_then(|record| provider.draft(record)))
    });
    // Records before a defect of the file are recorded, and the summary counts them.
    batch.record()?;
    read
}
