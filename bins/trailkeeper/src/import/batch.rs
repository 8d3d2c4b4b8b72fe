//! Records imported events in batches, and counts the result of each line.

use std::collections::VecDeque;
use std::sync::Arc;
use std::time::Duration;

use trailkeeper_domain::Result as DomainResult;
use trailkeeper_domain::event::{EventDraft, IngestContext, Warning};
use trailkeeper_domain::id::TenantId;
use trailkeeper_domain::ingest::{Ingest, IngestLimits};
use trailkeeper_domain::time::Timestamp;
use trailkeeper_domain::usecase::{PendingBatch, RecordStatus, record_events};

use crate::failure::Failure;
use crate::import::line_ids::{LineId, LineIds};
pub use crate::import::summary::Place;
use crate::import::summary::Summary;
use crate::wiring::Ports;

/// Events per transaction: so many that the cost of a transaction is small next to that of its events.
const EVENTS: usize = 20_000;
/// Bytes of lines per transaction, so that long lines make short batches.
const BYTES: usize = 8 * 1024 * 1024;
/// The longest wait for a commit: no client waits for an answer, and a large batch may take a slow disk long.
const COMMIT_TIMEOUT: Duration = Duration::from_mins(5);
/// Batches that may wait for their commit while the next one is read. Each takes some tens of megabytes at most.
const WAITING: usize = 1;

/// How to record imported events.
#[derive(Debug, Clone)]
pub struct Recording {
    /// Tenant of the events that name none.
    pub tenant: Option<TenantId>,
    /// Name of the log, of which the ids of lines are made.
    pub log: String,
}

impl Recording {
    /// What the import adds to events.
    pub fn context(&self, now: Timestamp) -> IngestContext {
        IngestContext { now, source: None, tenant_scope: self.tenant }
    }
}

/// The events of the next transaction, and those of transactions under way: while the store commits a batch, the lines
/// of the next one are read.
pub struct Batch<'a> {
    ports: &'a Ports,
    ingest: Ingest,
    recording: &'a Recording,
    summary: &'a mut Summary,
    lines: Vec<Place>,
    drafts: Vec<DomainResult<EventDraft>>,
    bytes: usize,
    waiting: VecDeque<(Vec<Place>, PendingBatch)>,
}

impl<'a> Batch<'a> {
    /// An empty batch.
    pub fn new(ports: &'a Ports, recording: &'a Recording, summary: &'a mut Summary) -> Result<Self, Failure> {
        let limits = IngestLimits { group_events: EVENTS, commit_timeout: COMMIT_TIMEOUT, ..IngestLimits::default() };
        let ingest = Ingest::start(Arc::clone(&ports.store), limits).map_err(|error| ports.failed(error))?;
        let (lines, drafts, waiting) = (Vec::new(), Vec::new(), VecDeque::new());
        Ok(Self { ports, ingest, recording, summary, lines, drafts, bytes: 0, waiting })
    }

    /// Adds the event that `draft_of` makes of the content of a line, or the reason why the line has none. An event
    /// without an id gets that of the line.
    pub fn add_line(
        &mut self,
        ids: &mut LineIds,
        place: Place,
        content: DomainResult<&[u8]>,
        draft_of: impl FnOnce(&[u8]) -> DomainResult<EventDraft>,
    ) -> Result<(), Failure> {
        let bytes = content.as_ref().map_or(0, |content| content.len());
        let draft = content.and_then(|content| {
            let mut draft = draft_of(content)?;
            if draft.id.is_none() {
                let at = draft.occurred_at.unwrap_or_else(|| self.ports.clock.now());
                let LineId { id, is_late } = ids.next(content, at);
                draft.id = Some(id);
                if is_late {
                    self.summary.late(place.clone());
                }
            }
            Ok(draft)
        });
        self.add(place, bytes, draft)
    }

    /// Adds the event of a line of `bytes` bytes, or the reason why the line has none. Records the batch if it is full.
    pub fn add(
        &mut self,
        place: impl Into<Place>,
        bytes: usize,
        draft: DomainResult<EventDraft>,
    ) -> Result<(), Failure> {
        self.lines.push(place.into());
        self.drafts.push(draft);
        self.bytes += bytes;
        if self.drafts.len() >= EVENTS || self.bytes >= BYTES { self.submit() } else { Ok(()) }
    }

    /// Counts a line without an event.
    pub fn skip(&mut self) {
        self.summary.skip();
    }

    /// Notes that the counters of lines as old as this one were dropped before.
    pub fn late(&mut self, place: Place) {
        self.summary.late(place);
    }

    /// Records the rest, and waits until all events are stored. Call it after the last line.
    ///
    /// The summary then counts all lines of the transactions that were committed, also if another one failed.
    pub fn record(&mut self) -> Result<(), Failure> {
        let submitted = if self.drafts.is_empty() { Ok(()) } else { self.submit() };
        let mut outcome = submitted;
        while !self.waiting.is_empty() {
            outcome = outcome.and(self.settle_oldest());
        }
        outcome
    }

    /// The counts so far, as one line.
    pub fn progress(&self) -> String {
        self.summary.progress()
    }

    /// Hands the events of the batch to the writer.
    fn submit(&mut self) -> Result<(), Failure> {
        let ports = self.ports;
        let context = self.recording.context(ports.clock.now());
        let (lines, drafts) = (std::mem::take(&mut self.lines), std::mem::take(&mut self.drafts));
        self.bytes = 0;
        let pending = record_events(&self.ingest, ports.clock.as_ref(), ports.entropy.as_ref(), &context, drafts)
            .map_err(|error| ports.failed(error))?;
        self.waiting.push_back((lines, pending));
        if self.waiting.len() > WAITING { self.settle_oldest() } else { Ok(()) }
    }

    /// Waits for the oldest batch, and counts its lines.
    fn settle_oldest(&mut self) -> Result<(), Failure> {
        let Some((lines, pending)) = self.waiting.pop_front() else { return Ok(()) };
        let results = pending.wait().map_err(|error| self.ports.failed(error))?;
        for (place, recorded) in lines.into_iter().zip(results) {
            for Warning { field, what } in &recorded.warnings {
                self.summary.warn(place.clone(), &format_args!("{field}: {what}"));
            }
            match recorded.status {
                RecordStatus::Stored => self.summary.count_new(),
                RecordStatus::Known => self.summary.count_old(),
                RecordStatus::Refused(error) => self.summary.refuse(place, &error),
            }
        }
        Ok(())
    }
}
