//! Recording events: each is validated separately, and the acceptable ones are stored in one transaction.

use std::future::Future;
use std::mem;
use std::pin::Pin;
use std::task::{Context, Poll, ready};

use crate::clock::{self, Clock, Entropy};
use crate::error::{Error, Result};
use crate::event::{EventDraft, IngestContext, Unreadable};
use crate::id::EventId;
use crate::ingest::{Commit, EventSink};

/// What became of one event.
#[derive(Debug)]
pub enum RecordStatus {
    /// It is new, and durable.
    Stored,
    /// Its tenant has an event with this id already, perhaps from the same batch; nothing changed.
    Known,
    /// It is not acceptable, for this reason; nothing was stored.
    Refused(Error),
}

/// What became of one event, and under which id.
#[derive(Debug)]
pub struct Recorded {
    /// The sender's id, or a new one if none was sent. `None` when the event was refused without one.
    pub id: Option<EventId>,
    /// What became of it.
    pub status: RecordStatus,
}

/// A batch whose acceptable events are on their way to the disk.
///
/// Asynchronous programs await it, others [`wait`](Self::wait). If it is dropped, the events are stored all the same.
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

/// Stores every acceptable event of a batch that its tenant does not know yet, all in one transaction.
///
/// `sink` is a [store](crate::ports::Store), or the [queue](crate::ingest::Ingest) of a server with many senders.
///
/// Results come in the order of `drafts`. A draft that cannot be read is passed as `Err` and comes back as refused, so
/// that positions stay the same. An error of the whole call means that nothing was stored.
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
            Ok(event) => {
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
    /// Blocks the thread until the events are durable. Returns what became of each draft, in order.
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
