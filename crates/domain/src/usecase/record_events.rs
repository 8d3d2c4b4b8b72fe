//! Recording events. Each event is validated separately, and the valid ones are stored in one transaction.

use std::future::Future;
use std::mem;
use std::pin::Pin;
use std::task::{Context, Poll, ready};

use crate::clock::{self, Clock, Entropy};
use crate::error::{Error, Result};
use crate::event::{CheckedEvent, EventDraft, IngestContext, Unreadable};
use crate::id::EventId;
use crate::ingest::{Commit, EventSink};

/// The result for one event.
#[derive(Debug)]
pub enum RecordStatus {
    /// The event is new, and it is durable.
    Stored,
    /// Its tenant already has an event with this id, possibly from the same batch. Nothing changed.
    Known,
    /// The event is not valid, for this reason. It was not stored.
    Refused(Error),
}

/// The id of one event and its result.
#[derive(Debug)]
pub struct Recorded {
    /// The id that the sender chose, or a new one if none was sent. `None` if an event without an id was rejected.
    pub id: Option<EventId>,
    /// The result for the event.
    pub status: RecordStatus,
}

/// A batch whose valid events are being committed.
///
/// Asynchronous programs await it; others call [`wait`](Self::wait). The events are stored even if it is dropped.
#[derive(Debug)]
#[must_use = "the events are durable only when the batch is done"]
pub struct PendingBatch {
    validated: Vec<Validated>,
    commit: Commit,
}

#[derive(Debug)]
enum Validated {
    Acceptable(EventId),
    Refused(Option<EventId>, Error),
}

/// Stores the valid events of a batch whose (tenant, id) is not stored yet, all in one transaction.
///
/// `sink` is a [store](crate::ports::Store), or the [queue](crate::ingest::Ingest) of a server with many senders.
///
/// Results come in the order of `drafts`. A draft that cannot be parsed is passed as `Err` and returned as
/// [`RecordStatus::Refused`], so that positions stay the same. If the whole call returns an error, nothing was stored.
pub fn record_events<S: EventSink + ?Sized>(
    sink: &S,
    clock: &dyn Clock,
    entropy: &dyn Entropy,
    context: &IngestContext,
    drafts: Vec<Result<EventDraft, impl Into<Unreadable>>>,
) -> Result<PendingBatch> {
    let mut events = Vec::with_capacity(drafts.len());
    let mut validated = Vec::with_capacity(drafts.len());
    for draft in drafts {
        let (sent_id, draft) = match draft.map_err(Into::into) {
            Ok(draft) => (draft.id, Ok(draft)),
            Err(Unreadable { id, error }) => (id, Err(error)),
        };
        let sent_id = sent_id.map(EventId);
        let new_id = || EventId(clock::new_uuid(clock, entropy));
        match draft.and_then(|draft| draft.into_event(context, sent_id.unwrap_or_else(new_id))) {
            Ok(CheckedEvent { event, .. }) => {
                validated.push(Validated::Acceptable(event.id));
                events.push(event);
            }
            Err(error) => validated.push(Validated::Refused(sent_id, error)),
        }
    }
    let commit = if events.is_empty() { Commit::done(Vec::new()) } else { sink.submit(events)? };
    Ok(PendingBatch { validated, commit })
}

impl PendingBatch {
    /// Blocks the thread until the events are durable. Returns the result for each draft, in order.
    pub fn wait(self) -> Result<Vec<Recorded>> {
        results(self.validated, self.commit.wait()?)
    }
}

impl Future for PendingBatch {
    type Output = Result<Vec<Recorded>>;

    fn poll(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Self::Output> {
        let new = ready!(Pin::new(&mut self.commit).poll(context));
        Poll::Ready(new.and_then(|new| results(mem::take(&mut self.validated), new)))
    }
}

fn results(validated: Vec<Validated>, new: Vec<bool>) -> Result<Vec<Recorded>> {
    let mut new = new.into_iter();
    validated
        .into_iter()
        .map(|draft| {
            Ok(match draft {
                Validated::Acceptable(id) => {
                    let status = match new.next() {
                        Some(true) => RecordStatus::Stored,
                        Some(false) => RecordStatus::Known,
                        None => return Err(Error::internal("the sink answered for fewer events than it was given")),
                    };
                    Recorded { id: Some(id), status }
                }
                Validated::Refused(id, error) => Recorded { id, status: RecordStatus::Refused(error) },
            })
        })
        .collect()
}
