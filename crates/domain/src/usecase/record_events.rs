//! Recording events. Each event is validated separately, and the valid ones are stored together.

use std::future::Future;
use std::mem;
use std::pin::Pin;
use std::task::{Context, Poll, ready};

use crate::clock::{self, Clock, Entropy};
use crate::error::{Error, Result};
use crate::event::{CheckedEvent, EventDraft, IngestContext, Unreadable, Warning};
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
    /// The fields that are not stored as they were sent. Empty unless the event was stored now.
    pub warnings: Vec<Warning>,
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
    Acceptable(EventId, Vec<Warning>),
    Refused(Option<EventId>, Error),
}

/// Stores the valid events of a batch whose (tenant, id) is not stored yet: all in one transaction, or those of each bucket in
/// one if the sink is a queue that sorts by bucket.
///
/// `sink` is a [store](crate::ports::Store), or the [queue](crate::ingest::Ingest) of a server with many senders.
///
/// Results come in the order of `drafts`. A draft that cannot be parsed is passed as `Err` and returned as
/// [`RecordStatus::Refused`], so that positions stay the same. If the whole call returns an error, nothing was stored, unless
/// the error says `maybe_stored`. [`Commit`] says what holds for an error of the batch.
///
/// ```
/// use trailkeeper_domain::clock::{Clock as _, Entropy, SystemClock};
/// use trailkeeper_domain::event::{Event, EventDraft, IngestContext};
/// use trailkeeper_domain::ingest::{Commit, EventSink};
/// use trailkeeper_domain::usecase::{RecordStatus, record_events};
/// # struct Randomness;
/// # impl Entropy for Randomness { fn fill(&self, buffer: &mut [u8]) { buffer.fill(7) } }
///
/// /// Prints events instead of storing them. A program usually has a store of `trailkeeper-storage` here.
/// struct Printer;
///
/// impl EventSink for Printer {
///     fn submit(&self, events: Vec<Event>) -> trailkeeper_domain::Result<Commit> {
///         events.iter().for_each(|event| println!("{} at {}", event.kind, event.occurred_at));
///         Ok(Commit::done(vec![true; events.len()]))
///     }
/// }
///
/// let drafts = vec![
///     EventDraft::read(br#"{"type":"page_load","user_id":"jane","page":"/orders"}"#),
///     EventDraft::read(br#"{"type":"page_load","user_id":42}"#),
///     EventDraft::read(br#"{"type":"page_load","env_id":"one"}"#),
/// ];
/// let context = IngestContext { now: SystemClock.now(), source: None, tenant_scope: None };
/// let recorded = record_events(&Printer, &SystemClock, &Randomness, &context, drafts)?.wait()?;
/// assert!(matches!(recorded[0].status, RecordStatus::Stored));
/// assert!(matches!(recorded[1].status, RecordStatus::Stored) && recorded[1].warnings[0].field == "user_id");
/// assert!(matches!(&recorded[2].status, RecordStatus::Refused(error) if error.to_string().starts_with("env_id: ")));
/// # Ok::<(), trailkeeper_domain::Error>(())
/// ```
pub fn record_events<S: EventSink + ?Sized>(
    sink: &S,
    clock: &dyn Clock,
    entropy: &dyn Entropy,
    context: &IngestContext,
    drafts: Vec<Result<EventDraft, impl Into<Unreadable>>>,
) -> Result<PendingBatch> {
    let retention = sink.retention()?;
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
            Ok(CheckedEvent { event, warnings }) => match retention.check(&event, context.now) {
                Ok(()) => {
                    validated.push(Validated::Acceptable(event.id, warnings));
                    events.push(event);
                }
                Err(error) => validated.push(Validated::Refused(Some(event.id), error)),
            },
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
                Validated::Acceptable(id, warnings) => {
                    let (status, warnings) = match new.next() {
                        Some(true) => (RecordStatus::Stored, warnings),
                        Some(false) => (RecordStatus::Known, Vec::new()),
                        None => return Err(Error::internal("the sink answered for fewer events than it was given")),
                    };
                    Recorded { id: Some(id), status, warnings }
                }
                Validated::Refused(id, error) => {
                    Recorded { id, status: RecordStatus::Refused(error), warnings: Vec::new() }
                }
            })
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use std::task::Waker;

    use parking_lot::Mutex;
    use uuid::Uuid;

    use super::*;
    use crate::event::Event;
    use crate::id::TenantId;
    use crate::ingest::Promise;
    use crate::ports::Store;
    use crate::testing::{MemoryStore, World, code_and_field, context, tenant_id, uuid};

    type Drafts = Vec<Result<EventDraft, Unreadable>>;

    fn draft(id: Option<u128>) -> EventDraft {
        EventDraft { id: id.map(uuid), kind: "page_load".to_owned(), ..EventDraft::default() }
    }

    fn unreadable(id: Option<Uuid>) -> Unreadable {
        Unreadable { id, error: Error::invalid("source", "is not an address") }
    }

    fn begin<S: EventSink + ?Sized>(sink: &S, world: &World, context: &IngestContext, drafts: Drafts) -> PendingBatch {
        record_events(sink, &world.fixed, &world.fixed, context, drafts).unwrap()
    }

    /// Records a batch in the store of a world.
    fn record(world: &World, drafts: Drafts) -> Vec<Recorded> {
        let store: &dyn Store = &world.store;
        begin(store, world, &context(world), drafts).wait().unwrap()
    }

    /// The results in short form: stored, known, or the refused field.
    fn shown(recorded: &[Recorded]) -> Vec<String> {
        let shown = recorded.iter().map(|recorded| match &recorded.status {
            RecordStatus::Stored => "stored".to_owned(),
            RecordStatus::Known => "known".to_owned(),
            RecordStatus::Refused(error) => format!("refused {}", code_and_field(error).1.unwrap_or_default()),
        });
        shown.collect()
    }

    #[test]
    fn results_come_in_the_order_of_the_drafts() {
        let world = World::default();
        record(&world, vec![Ok(draft(Some(2)))]);
        let bad = EventDraft { kind: "Page Load".to_owned(), ..draft(Some(4)) };
        let batch =
            vec![Ok(draft(Some(1))), Ok(bad), Ok(draft(Some(2))), Err(unreadable(Some(uuid(5)))), Ok(draft(Some(3)))];
        let recorded = record(&world, batch);
        assert_eq!(shown(&recorded), ["stored", "refused type", "known", "refused source", "stored"]);
        assert_eq!(
            recorded.iter().map(|recorded| recorded.id).collect::<Vec<_>>(),
            [1, 4, 2, 5, 3].map(|number| Some(EventId(uuid(number)))),
            "a refused event keeps the id by which its sender finds it"
        );
        let stored: Vec<_> = world.store.records().events.iter().map(|event| event.id.0).collect();
        assert_eq!(stored, [2, 1, 3].map(uuid));
    }

    #[test]
    fn a_batch_is_one_transaction() {
        let world = World::default();
        record(&world, (1..=20).map(|number| Ok(draft(Some(number)))).collect());
        assert_eq!(world.store.writes(), 1);
    }

    #[test]
    fn an_event_without_an_id_gets_a_new_one_and_a_refused_one_gets_none() {
        let world = World::default();
        let bad = EventDraft { kind: String::new(), ..draft(None) };
        let recorded = record(&world, vec![Ok(draft(None)), Ok(draft(None)), Ok(bad), Err(unreadable(None))]);
        assert_eq!(shown(&recorded), ["stored", "stored", "refused type", "refused source"]);
        let ids: Vec<_> = recorded.iter().map(|recorded| recorded.id).collect();
        assert!(ids[0].is_some() && ids[1].is_some() && ids[0] != ids[1], "{ids:?}");
        assert_eq!(ids[2..], [None, None]);
        let stored: Vec<_> = world.store.records().events.iter().map(|event| Some(event.id)).collect();
        assert_eq!(stored, ids[..2]);
    }

    #[test]
    fn the_first_of_two_events_with_one_id_counts() {
        let world = World::default();
        let first = EventDraft { user_id: Some("ann".to_owned()), ..draft(Some(1)) };
        let second = EventDraft { user_id: Some("bob".to_owned()), ..draft(Some(1)) };
        assert_eq!(shown(&record(&world, vec![Ok(first), Ok(second)])), ["stored", "known"]);
        let users: Vec<_> = world.store.records().events.into_iter().map(|event| event.user_id.unwrap()).collect();
        assert_eq!(users, [crate::testing::user_id("ann")]);
    }

    #[test]
    fn tenants_may_use_the_same_id() {
        let world = World::default();
        let of = |tenant| Ok(EventDraft { tenant_id: Some(tenant), ..draft(Some(1)) });
        let batch = vec![of(tenant_id(1)), of(tenant_id(2)), of(TenantId::NONE), of(tenant_id(1))];
        assert_eq!(shown(&record(&world, batch)), ["stored", "stored", "stored", "known"]);
    }

    #[test]
    fn a_tenants_credential_records_in_its_tenant_only() {
        let world = World::default();
        let own = IngestContext { tenant_scope: Some(tenant_id(1)), ..context(&world) };
        let other = EventDraft { tenant_id: Some(tenant_id(2)), ..draft(Some(1)) };
        let store: &dyn Store = &world.store;
        let batch = begin(store, &world, &own, vec![Ok(other), Ok(draft(Some(2)))]);
        assert_eq!(shown(&batch.wait().unwrap()), ["refused tenant_id", "stored"]);
        assert_eq!(world.store.records().events[0].tenant_id, tenant_id(1));
    }

    #[test]
    fn a_batch_without_a_valid_event_needs_no_store() {
        let world = World::default();
        assert_eq!(shown(&record(&world, vec![Err(unreadable(None))])), ["refused source"]);
        assert!(record(&world, Vec::new()).is_empty());
        assert_eq!(world.store.writes(), 0);
    }

    #[test]
    fn an_error_of_the_store_is_the_error_of_the_call() {
        let world =
            World { store: MemoryStore::on_insert(|_| Some(Err(Error::unavailable("gone")))), ..World::default() };
        let store: &dyn Store = &world.store;
        let result =
            record_events(store, &world.fixed, &world.fixed, &context(&world), vec![Ok::<_, Error>(draft(None))]);
        assert!(matches!(result, Err(Error::Unavailable { .. })), "{result:?}");
    }

    /// A sink that answers when the test says so.
    #[derive(Default)]
    struct Later(Mutex<Vec<(usize, Promise)>>);

    impl EventSink for Later {
        fn submit(&self, events: Vec<Event>) -> Result<Commit> {
            let (promise, commit) = Commit::pending();
            self.0.lock().push((events.len(), promise));
            Ok(commit)
        }
    }

    #[test]
    fn a_batch_can_be_awaited() {
        let (world, later) = (World::default(), Later::default());
        let drafts = vec![Err(unreadable(None)), Ok(draft(Some(1))), Ok(draft(Some(2)))];
        let mut batch = begin(&later, &world, &context(&world), drafts);
        let mut poll = || Pin::new(&mut batch).poll(&mut Context::from_waker(Waker::noop()));
        assert!(poll().is_pending());
        let (events, promise) = later.0.lock().pop().unwrap();
        assert_eq!(events, 2, "the sink gets the valid events only");
        promise.settle(Ok(vec![true, false]));
        let Poll::Ready(Ok(recorded)) = poll() else { panic!("the commit is done") };
        assert_eq!(shown(&recorded), ["refused source", "stored", "known"]);
    }

    #[test]
    fn a_sink_that_forgets_events_is_a_defect_and_no_event_counts_as_stored() {
        let (world, later) = (World::default(), Later::default());
        let batch = begin(&later, &world, &context(&world), vec![Ok(draft(Some(1))), Ok(draft(Some(2)))]);
        later.0.lock().pop().unwrap().1.settle(Ok(vec![true]));
        assert!(matches!(batch.wait(), Err(Error::Internal { .. })));
    }

    #[test]
    fn a_lost_commit_is_an_error_of_the_whole_batch() {
        let (world, later) = (World::default(), Later::default());
        let batch = begin(&later, &world, &context(&world), vec![Err(unreadable(None)), Ok(draft(Some(1)))]);
        later.0.lock().pop().unwrap().1.settle(Err(Error::unavailable("gone")));
        assert!(matches!(batch.wait(), Err(Error::Unavailable { .. })));
    }
}
