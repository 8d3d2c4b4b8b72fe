//! Exports of events: one consistent set, read in many short transactions.

use std::thread;
use std::time::{Duration, Instant};

use uuid::Uuid;

use crate::cursor::{self, FeedPosition};
use crate::deadline;
use crate::error::{Error, ErrorDetail, Result};
use crate::event::{EventFilter, StoredEvent};
use crate::ports::{FeedState, NumberRange, Store};
use crate::usecase::find_events::check_range;

/// How long an export waits at its start for transactions that hold back what is stored already, such as a large merge.
const PATIENCE: Duration = Duration::from_mins(1);

/// The time that a request needs behind the wait.
const REST: Duration = Duration::from_secs(1);

/// The time between two looks for their end.
const PAUSE: Duration = Duration::from_millis(5);

/// Where an export begins and ends.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct ExportRange {
    /// Behind this position; with the first event if there is none.
    pub after: Option<FeedPosition>,
    /// With the event at this position; with the last one that is stored now if there is none.
    pub until: Option<FeedPosition>,
}

/// The names of the fields of an [`ExportRange`], for errors.
#[derive(Debug, Clone, Copy)]
pub struct RangeFields {
    /// The name of [`ExportRange::after`].
    pub after: &'static str,
    /// The name of [`ExportRange::until`].
    pub until: &'static str,
}

/// An export of the events that match a filter, in the order of storage.
///
/// Events never change, and the order never gets an event in its middle. So the events between two fixed positions are one
/// set, also if many transactions read it. An export ends with an error if events of it are removed meanwhile.
#[derive(Debug, Clone)]
pub struct EventExport {
    filter: EventFilter,
    history: Uuid,
    removed: u64,
    after: i64,
    until: i64,
    field: &'static str,
}

impl EventExport {
    /// Fixes the end of the export: every event that was acknowledged before is in it.
    ///
    /// # Errors
    /// [`Error::Gone`] with the code `cursor_expired` for a position of another history of the database, and with the code
    /// `events_removed` if events of the range were removed since the position was given; [`Error::Invalid`] for a range
    /// that ends before it begins; [`Error::Unavailable`] if a transaction in the database holds back events that are
    /// stored; and those of the store.
    pub fn begin(store: &dyn Store, filter: EventFilter, range: ExportRange, fields: RangeFields) -> Result<Self> {
        check_range(&filter)?;
        let now = if range.until.is_none() { settled_now(store)? } else { store.settled()? };
        let FeedState { history, removed, .. } = store.reading(|tx| tx.feed_state(filter.visibility.tenant()))?;
        for (position, field) in [(range.after, fields.after), (range.until, fields.until)] {
            if position.is_some_and(|position| position.history != history) {
                return Err(cursor::expired(field));
            }
        }
        let after = range.after.map_or(0, |position| position.after);
        let until = range.until.map_or(now, |position| position.after);
        if after > until {
            return Err(Error::invalid(fields.until, "lies before the cursor; send the end of the same export"));
        }
        let removed = range.after.map_or(removed, |position| position.removed);
        let export = Self { filter, history, removed, after, until, field: fields.after };
        store.reading(|tx| export.check_whole(tx.feed_state(export.filter.visibility.tenant())?))?;
        Ok(export)
    }

    /// The next events, at most `limit`. None at the end: see [`is_done`](Self::is_done).
    ///
    /// # Errors
    /// [`Error::Gone`] with the code `cursor_expired` if the database was restored meanwhile, with the code
    /// `events_removed` if events of the rest were removed, and those of the store.
    pub fn page(&mut self, store: &dyn Store, limit: usize) -> Result<Vec<StoredEvent>> {
        let range = NumberRange { after: self.after, until: self.until };
        if self.is_done() || limit == 0 {
            return Ok(Vec::new());
        }
        let events = store.reading(|tx| {
            self.check_whole(tx.feed_state(self.filter.visibility.tenant())?)?;
            tx.events_by_number(&self.filter, range, limit)
        })?;
        let is_full = events.len() == limit;
        self.after = if is_full { events.last().map_or(self.until, |last| last.seq) } else { self.until };
        Ok(events)
    }

    /// Whether every event was returned.
    pub fn is_done(&self) -> bool {
        self.after >= self.until
    }

    /// The position behind the last page.
    pub fn position(&self) -> FeedPosition {
        self.at(self.after)
    }

    /// The position behind an event of the last page.
    pub fn position_of(&self, stored: &StoredEvent) -> FeedPosition {
        self.at(stored.seq)
    }

    /// The position behind the whole export.
    pub fn end(&self) -> FeedPosition {
        self.at(self.until)
    }

    fn at(&self, after: i64) -> FeedPosition {
        FeedPosition { history: self.history, after, removed: self.removed, reader: 0 }
    }

    fn check_whole(&self, state: FeedState) -> Result<()> {
        if state.history != self.history {
            return Err(cursor::expired(self.field));
        }
        if state.removed > self.removed && state.removed_until > self.after {
            return Err(Error::Gone(ErrorDetail::of(
                self.field,
                "events_removed",
                "events of this export were removed by a rule of retention before it reached them; begin it again",
            )));
        }
        Ok(())
    }
}

/// A number up to which every event is stored or will never be, and with it all that are visible now.
fn settled_now(store: &dyn Store) -> Result<i64> {
    let last = store.reading(|tx| tx.last_seq())?;
    let patience = deadline::remaining().map_or(PATIENCE, |left| left.saturating_sub(REST).min(PATIENCE));
    let give_up = Instant::now() + patience;
    loop {
        let settled = store.settled()?;
        if settled >= last {
            return Ok(settled);
        }
        if Instant::now() >= give_up {
            return Err(Error::unavailable("a long transaction in the database holds back the end of an export"));
        }
        thread::sleep(PAUSE);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::event::{Event, Values};
    use crate::testing::{EVERYTHING, MemoryStore, code_and_field, event, user_id};

    const FIELDS: RangeFields = RangeFields { after: "cursor", until: "until" };

    fn all() -> EventFilter {
        EventFilter::within(EVERYTHING)
    }

    fn begin(store: &MemoryStore, range: ExportRange) -> EventExport {
        EventExport::begin(store, all(), range, FIELDS).unwrap()
    }

    /// The numbers on each page.
    fn pages(export: &mut EventExport, store: &MemoryStore, limit: usize) -> Vec<Vec<i64>> {
        let mut pages = Vec::new();
        while !export.is_done() {
            pages.push(export.page(store, limit).unwrap().iter().map(|stored| stored.seq).collect());
        }
        pages
    }

    #[test]
    fn the_end_is_fixed_when_the_export_begins() {
        let store = MemoryStore::with_events([5, 1, 4].map(event));
        let mut export = begin(&store, ExportRange::default());
        assert_eq!(export.page(&store, 2).unwrap().len(), 2);
        store.prepared(|records| records.events.push(event(6)));
        assert_eq!(pages(&mut export, &store, 2), [[3]]);
        assert_eq!(export.page(&store, 2).unwrap(), []);
        assert_eq!(pages(&mut begin(&store, ExportRange::default()), &store, 9), [[1, 2, 3, 4]]);
    }

    #[test]
    fn an_export_without_events_is_done_at_once() {
        assert!(begin(&MemoryStore::default(), ExportRange::default()).is_done());
    }

    #[test]
    fn an_export_goes_on_behind_any_event_up_to_the_same_end() {
        let store = MemoryStore::with_events((1..=5).map(event));
        let mut export = begin(&store, ExportRange::default());
        let first = export.page(&store, 3).unwrap();
        let (after, until) = (Some(export.position_of(&first[1])), Some(export.end()));
        store.prepared(|records| records.events.push(event(6)));
        assert_eq!(pages(&mut begin(&store, ExportRange { after, until }), &store, 9), [[3, 4, 5]]);
        assert_eq!(pages(&mut begin(&store, ExportRange { after, until: None }), &store, 9), [[3, 4, 5, 6]]);
        let turned = ExportRange { after: until, until: after };
        let error = EventExport::begin(&store, all(), turned, FIELDS).unwrap_err();
        assert_eq!(code_and_field(&error), ("invalid_parameter", Some("until")));
    }

    #[test]
    fn what_does_not_match_is_passed() {
        let by = |number, user: &str| Event { user_id: Some(user_id(user)), ..event(number) };
        let store = MemoryStore::with_events([by(1, "ann"), by(2, "bob"), by(3, "bob")]);
        let filter = EventFilter { user_id: Values { any_of: vec![user_id("ann")], ..Values::default() }, ..all() };
        let mut export = EventExport::begin(&store, filter, ExportRange::default(), FIELDS).unwrap();
        assert_eq!(pages(&mut export, &store, 9), [[1]]);
        assert_eq!(export.position(), export.end());
    }

    #[test]
    fn an_export_that_lost_events_fails() {
        let store = MemoryStore::with_events((1..=4).map(event));
        let mut export = begin(&store, ExportRange::default());
        export.page(&store, 2).unwrap();
        let removed = |until| FeedState { history: Uuid::nil(), removed: 1, removed_until: until };
        store.prepared(|records| records.feed = Some(removed(2)));
        assert_eq!(export.clone().page(&store, 1).unwrap().len(), 1, "the export had it before");
        store.prepared(|records| records.feed = Some(removed(3)));
        let error = export.page(&store, 1).unwrap_err();
        assert!(matches!(error, Error::Gone(_)), "{error:?}");
        assert_eq!(code_and_field(&error), ("events_removed", Some("cursor")));
        let resumed = ExportRange { after: Some(export.position()), until: None };
        let error = EventExport::begin(&store, all(), resumed, FIELDS).unwrap_err();
        assert_eq!(code_and_field(&error).0, "events_removed");
        assert!(!begin(&store, ExportRange::default()).is_done(), "a new one has what is there");
    }

    #[test]
    fn a_position_of_another_history_is_gone() {
        let store = MemoryStore::with_events([1, 2].map(event));
        let mut export = begin(&store, ExportRange::default());
        let restored = FeedState { history: Uuid::from_u128(2), removed: 0, removed_until: 0 };
        store.prepared(|records| records.feed = Some(restored));
        assert_eq!(code_and_field(&export.page(&store, 1).unwrap_err()), ("cursor_expired", Some("cursor")));
        let position = Some(export.position());
        for (range, field) in [
            (ExportRange { after: position, until: None }, "cursor"),
            (ExportRange { after: None, until: position }, "until"),
        ] {
            let error = EventExport::begin(&store, all(), range, FIELDS).unwrap_err();
            assert_eq!(code_and_field(&error), ("cursor_expired", Some(field)));
        }
    }
}
