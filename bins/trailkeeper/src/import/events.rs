//! Imports events from NDJSON: the objects that `POST /v1/events` takes, or those that an export writes.

use trailkeeper_domain::event::EventDraft;

use crate::failure::Failure;
use crate::import::batch::{Batch, Place, Recording};
use crate::import::line_ids::LineIds;
use crate::import::source::Source;
use crate::import::summary::Summary;
use crate::wiring::Ports;

/// Records the event of every valid line of the files. Events without an id get that of their line ([`LineIds`]).
pub fn import_events(
    ports: &Ports,
    sources: Vec<Source>,
    recording: &Recording,
    summary: &mut Summary,
) -> Result<(), Failure> {
    let mut ids = LineIds::new(&recording.log);
    let mut batch = Batch::new(ports, recording, summary)?;
    let several = sources.len() > 1;
    for mut source in sources {
        let name = several.then(|| source.shared_name());
        let read = source.each_line(|number, content| {
            let place = Place { file: name.clone(), line: number };
            batch.add_line(&mut ids, place, content, EventDraft::from_file)
        });
        // Lines before a defect of the file are recorded, and the summary counts them.
        read.or_else(|failure| batch.record().and(Err(failure)))?;
    }
    batch.record()
}
