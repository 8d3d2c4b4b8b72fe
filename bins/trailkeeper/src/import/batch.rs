//! Records imported events in batches, and counts the result of each line.

use trailkeeper_domain::Result as DomainResult;
use trailkeeper_domain::event::{EventDraft, IngestContext, Warning};
use trailkeeper_domain::id::TenantId;
use trailkeeper_domain::usecase::{PendingBatch, RecordStatus, record_events};

use crate::failure::Failure;
use crate::import::summary::Summary;
use crate::wiring::Ports;

/// Events per transaction.
const EVENTS: usize = 1_000;
/// Bytes of lines per transaction, so that long lines make short batches.
const BYTES: usize = 8 * 1024 * 1024;

/// How to record imported events.
#[derive(Debug, Clone, Copy)]
pub struct Recording {
    /// Tenant of the events that name none.
    pub tenant: Option<TenantId>,
}

/// The events of the next transaction.
pub struct Batch<'a> {
    ports: &'a Ports,
    recording: Recording,
    summary: &'a mut Summary,
    lines: Vec<u64>,
    drafts: Vec<DomainResult<EventDraft>>,
    bytes: usize,
}

impl<'a> Batch<'a> {
    /// An empty batch.
    pub fn new(ports: &'a Ports, recording: Recording, summary: &'a mut Summary) -> Self {
        Self { ports, recording, summary, lines: Vec::new(), drafts: Vec::new(), bytes: 0 }
    }

    /// Adds the event of a line of `bytes` bytes, or the reason why the line has none. Records the batch if it is full.
    pub fn add(&mut self, line: u64, bytes: usize, draft: DomainResult<EventDraft>) -> Result<(), Failure> {
        self.lines.push(line);
        self.drafts.push(draft);
        self.bytes += bytes;
        if self.drafts.len() >= EVENTS || self.bytes >= BYTES { self.record() } else { Ok(()) }
    }

    /// Records the events of the batch. Call it after the last line.
    pub fn record(&mut self) -> Result<(), Failure> {
        if self.drafts.is_empty() {
            return Ok(());
        }
        let ports = self.ports;
        let context = IngestContext { now: ports.clock.now(), source: None, tenant_scope: self.recording.tenant };
        let drafts = std::mem::take(&mut self.drafts);
        let results =
            record_events(ports.store.as_ref(), ports.clock.as_ref(), ports.entropy.as_ref(), &context, drafts)
                .and_then(PendingBatch::wait)
                .map_err(|error| ports.failed(error))?;
        self.bytes = 0;
        for (line, recorded) in self.lines.drain(..).zip(results) {
            for Warning { field, what } in &recorded.warnings {
                self.summary.warn(line, &format_args!("{field}: {what}"));
            }
            match recorded.status {
                RecordStatus::Stored => self.summary.count_new(),
                RecordStatus::Known => self.summary.count_old(),
                RecordStatus::Refused(error) => self.summary.refuse(line, &error),
            }
        }
        Ok(())
    }
}
