//! Imports access logs of Apache and nginx as events.

use trailkeeper_domain::event::EventDraft;
use trailkeeper_domain::id::EventId;
use trailkeeper_domain::ingest::EventSink as _;
use trailkeeper_domain::{Error, Result as DomainResult};
use trailkeeper_parsers::access_log::{LineReader, text_of};
use uuid::Uuid;

use crate::failure::Failure;
use crate::import::batch::{Batch, Place, Recording};
use crate::import::line_ids::LineIds;
use crate::import::old_rule::{OldFile, recognise};
use crate::import::source::Source;
use crate::import::summary::Summary;
use crate::wiring::Ports;

/// Records every valid line of the files, which are parts of one log.
///
/// The id of an event is made of its line ([`LineIds`]), or by the rule of an older version, for lines that such a
/// version imported.
pub fn import_access_log(
    ports: &Ports,
    sources: Vec<Source>,
    recording: &Recording,
    mut reader: LineReader,
    summary: &mut Summary,
) -> Result<(), Failure> {
    let mut ids = LineIds::new(&recording.log);
    let mut batch = Batch::new(ports, recording, summary)?;
    let several = sources.len() > 1;
    for source in sources {
        let name = several.then(|| source.shared_name());
        let (mut source, old) = recognised(ports, source, recording, &mut reader)?;
        let read = source.each_line(|number, content| {
            let place = Place { file: name.clone(), line: number };
            batch.add_line(&mut ids, place, content, |content| {
                let draft = draft_of(&mut reader, content)?;
                Ok(EventDraft { id: old.and_then(|old| old.id(number)), ..draft })
            })
        });
        // Lines before a defect of the file are recorded, and the summary counts them.
        read.or_else(|failure| batch.record().and(Err(failure)))?;
    }
    batch.record()
}

/// The event of a line, without an id.
pub fn draft_of(reader: &mut LineReader, content: &[u8]) -> DomainResult<EventDraft> {
    reader.read(&text_of(content)).map_err(|reason| Error::malformed("not_a_log_line", reason))
}

/// Finds the part of the input that an older version imported.
fn recognised(
    ports: &Ports,
    source: Source,
    recording: &Recording,
    reader: &mut LineReader,
) -> Result<(Source, Option<OldFile>), Failure> {
    let mut source = source.repeatable()?;
    let old = old_part(ports, &mut source, recording, reader)?;
    Ok((source, old))
}

/// The part of a file that an older version imported.
pub fn old_part(
    ports: &Ports,
    source: &mut Source,
    recording: &Recording,
    reader: &mut LineReader,
) -> Result<Option<OldFile>, Failure> {
    let context = recording.context(ports.clock.now());
    let retention = ports.store.retention().map_err(|error| ports.failed(error))?;
    let event_of = |content: &[u8]| {
        let checked =
            draft_of(reader, content).and_then(|draft| draft.into_event(&context, EventId(Uuid::nil()))).ok()?;
        retention.check(&checked.event, context.now).is_ok().then_some(checked.event)
    };
    recognise(ports, source, event_of)
}
