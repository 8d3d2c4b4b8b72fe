//! Recording events: each is judged alone, the good ones are stored in one transaction.

use std::collections::HashSet;

use crate::clock::{self, Clock, Entropy};
use crate::error::{Error, Result};
use crate::event::{Event, EventDraft, IngestContext, Unreadable};
use crate::id::{EventId, TenantId};
use crate::ports::Store;

/// What became of one event.
#[derive(Debug)]
pub enum RecordStatus {
    /// It is new, and durable.
    Stored,
    /// Its tenant has one with this id already; nothing changed.
    Known,
    /// It is not acceptable, for this reason; nothing was stored.
    Refused(Error),
}

/// What became of one event, and under which id.
#[derive(Debug)]
pub struct Recorded {
    /// The sender's id or the one we gave. Absent when the event was refused without one.
    pub id: Option<EventId>,
    /// What became of it.
    pub status: RecordStatus,
}

/// A batch after its checks: the events to store, and what is known of the others already.
#[derive(Debug)]
pub struct ValidatedBatch {
    events: Vec<Event>,
    validated: Vec<Validated>,
}

#[derive(Debug)]
enum Validated {
    Good(EventId),
    Repeated(EventId),
    Bad(Option<EventId>, Error),
}

/// Stores every acceptable event of a batch that its tenant does not know yet, in one transaction.
///
/// Results come in the order of `drafts`. A draft that could not even be read is passed as `Err` and
/// comes back as refused, so that places stay the same. An error of the whole call means that
/// nothing was stored.
pub fn record_events(
    store: &dyn Store,
    clock: &dyn Clock,
    entropy: &dyn Entropy,
    context: &IngestContext,
    drafts: Vec<Result<EventDraft>>,
) -> Result<Vec<Recorded>> {
    let mut batch = validate_events(clock, entropy, context, drafts);
    let events = batch.take_events();
    let new = if events.is_empty() { Vec::new() } else { store.writing(|tx| tx.insert_events(&events))? };
    batch.results(new)
}

/// Checks each draft and gives ids to those without. The first half of [`record_events`], for callers
/// who hand the events to [`crate::ingest`].
pub fn validate_events(
    clock: &dyn Clock,
    entropy: &dyn Entropy,
    context: &IngestContext,
    drafts: Vec<Result<EventDraft, impl Into<Unreadable>>>,
) -> ValidatedBatch {
    let mut seen: HashSet<(TenantId, EventId)> = HashSet::with_capacity(drafts.len());
    let mut events: Vec<Event> = Vec::with_capacity(drafts.len());
    let mut validated: Vec<Validated> = Vec::with_capacity(drafts.len());
    for draft in drafts {
        let fresh_id = || EventId(clock::new_uuid(clock, entropy));
        let (sent_id, draft) = match draft.map_err(Into::into) {
            Ok(draft) => (draft.id, Ok(draft)),
            Err(Unreadable { id, error }) => (id, Err(error)),
        };
        let sent_id = sent_id.map(EventId);
        let checked = draft.and_then(|draft| draft.into_event(context, sent_id.unwrap_or_else(fresh_id)));
        validated.push(match checked {
            Ok(event) if seen.insert((event.tenant_id, event.id)) => {
                let id = event.id;
                events.push(event);
                Validated::Good(id)
            }
            Ok(event) => Validated::Repeated(event.id),
            Err(error) => Validated::Bad(sent_id, error),
        });
    }
    ValidatedBatch { events, validated }
}

impl ValidatedBatch {
    /// The events to store, each (tenant, id) once. Taken once; they go to the store, the batch stays.
    pub fn take_events(&mut self) -> Vec<Event> {
        std::mem::take(&mut self.events)
    }

    /// What became of each draft, in order, given which of the events were new.
    pub fn results(self, new: Vec<bool>) -> Result<Vec<Recorded>> {
        let mut new = new.into_iter();
        self.validated
            .into_iter()
            .map(|one| {
                Ok(match one {
                    Validated::Good(id) => match new.next() {
                        Some(true) => Recorded { id: Some(id), status: RecordStatus::Stored },
                        Some(false) => Recorded { id: Some(id), status: RecordStatus::Known },
                        None => return Err(Error::internal("the store answered for fewer events than it was given")),
                    },
                    Validated::Repeated(id) => Recorded { id: Some(id), status: RecordStatus::Known },
                    Validated::Bad(id, error) => Recorded { id, status: RecordStatus::Refused(error) },
                })
            })
            .collect()
    }
}
