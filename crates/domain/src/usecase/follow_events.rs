//! The feed: events in the order of storage, which never gets an event in its middle.

use crate::cursor::{self, FeedPosition};
use crate::error::Result;
use crate::event::{EventFilter, StoredEvent};
use crate::ports::{FeedState, NumberRange, Store};
use crate::usecase::find_events::check_range;

/// Where a page of the feed begins.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum FeedStart {
    /// With the first event that is stored.
    Beginning,
    /// Behind the last event that is stored.
    Now,
    /// Behind a position of an earlier page.
    At(FeedPosition),
}

/// A page of the feed.
#[derive(Debug, Clone, PartialEq)]
pub struct FeedPage {
    /// The events, in the order of storage.
    pub events: Vec<StoredEvent>,
    /// The position behind the page.
    pub next: FeedPosition,
    /// Whether more events may follow at once: the page is full, or did not look at all events.
    pub has_more: bool,
    /// Whether events behind the position were removed before the reader got them. They may have matched the filter or not.
    pub gap: bool,
}

impl FeedPage {
    /// The position behind an event of this page.
    pub fn position_of(&self, stored: &StoredEvent) -> FeedPosition {
        FeedPosition { after: stored.seq, ..self.next }
    }
}

/// The next events of the feed that match `filter`, at most `limit`: oldest first, as they were stored. It leaves out the
/// audit events of reads, because a reader that records its reads would otherwise never reach the end.
///
/// `reader` becomes part of the positions. `cursor_field` is the name of the cursor's field in errors.
///
/// # Errors
/// [`Error::Gone`](crate::Error::Gone) with the code `cursor_expired` for a position of another history of the database,
/// [`Error::Invalid`](crate::Error::Invalid) for a range that ends before it begins, and those of the store.
pub fn follow_events(
    store: &dyn Store,
    filter: &EventFilter,
    start: FeedStart,
    reader: u64,
    cursor_field: &str,
    limit: usize,
) -> Result<FeedPage> {
    follow_events_within(store, filter, start, reader, cursor_field, limit, i64::MAX)
}

/// The page of [`follow_events`], which looks at no more than `numbers` numbers behind its start. So a page of a rare event
/// takes a bounded time. If the page is empty and more events are stored, `has_more` is true.
pub fn follow_events_within(
    store: &dyn Store,
    filter: &EventFilter,
    start: FeedStart,
    reader: u64,
    cursor_field: &str,
    limit: usize,
    numbers: i64,
) -> Result<FeedPage> {
    check_range(filter)?;
    let filter = EventFilter { without_reads: true, ..filter.clone() };
    // Before the snapshot, which so has every event up to this number.
    let until = store.settled()?;
    store.reading(|tx| {
        let state = tx.feed_state(filter.visibility.tenant())?;
        let FeedState { history, removed, removed_until } = state;
        let (after, known) = match start {
            FeedStart::Beginning => (0, removed),
            FeedStart::Now => (until, removed),
            FeedStart::At(position) if position.history == history => (position.after, position.removed),
            FeedStart::At(_) => return Err(cursor::expired(cursor_field)),
        };
        // Another server may have given a position behind the numbers that this one knows to be settled.
        let settled = until.max(after);
        let until = settled.min(after.saturating_add(numbers));
        let events = if after < until && limit > 0 {
            tx.events_by_number(&filter, NumberRange { after, until }, limit)?
        } else {
            Vec::new()
        };
        let is_full = limit > 0 && events.len() == limit;
        let after_page = if is_full { events.last().map_or(until, |last| last.seq) } else { until };
        Ok(FeedPage {
            next: FeedPosition { history, after: after_page, removed, reader },
            has_more: is_full || until < settled,
            gap: removed > known && removed_until > after,
            events,
        })
    })
}

#[cfg(test)]
mod tests {
    use uuid::Uuid;

    use super::*;
    use crate::event::{EVENTS_READ, Event, Outcome, Values};
    use crate::testing::{EVERYTHING, MemoryStore, code_and_field, event, user_id};
    use crate::{Error, id::EventId};

    fn all() -> EventFilter {
        EventFilter::within(EVERYTHING)
    }

    fn page(store: &MemoryStore, start: FeedStart, limit: usize) -> FeedPage {
        follow_events(store, &all(), start, 9, "cursor", limit).unwrap()
    }

    fn numbers(page: &FeedPage) -> Vec<i64> {
        page.events.iter().map(|stored| stored.seq).collect()
    }

    #[test]
    fn events_come_in_the_order_of_storage_and_each_once() {
        let store = MemoryStore::with_events([5, 1, 4, 2, 3].map(event));
        let (mut start, mut pages) = (FeedStart::Beginning, Vec::new());
        loop {
            let page = page(&store, start, 2);
            assert!(!page.gap);
            pages.push(numbers(&page));
            start = FeedStart::At(page.next);
            if !page.has_more {
                break;
            }
        }
        assert_eq!(pages, [vec![1, 2], vec![3, 4], vec![5]]);
        assert_eq!(numbers(&page(&store, start, 2)), [0_i64; 0]);
        store.prepared(|records| records.events.push(event(6)));
        assert_eq!(numbers(&page(&store, start, 2)), [6]);
    }

    #[test]
    fn a_full_last_page_is_followed_by_an_empty_one() {
        let store = MemoryStore::with_events([1, 2].map(event));
        let full = page(&store, FeedStart::Beginning, 2);
        assert!(full.has_more);
        let rest = page(&store, FeedStart::At(full.next), 2);
        assert_eq!((rest.events.len(), rest.has_more, rest.next), (0, false, full.next));
    }

    #[test]
    fn what_does_not_match_is_passed() {
        let by = |number, user: &str| Event { user_id: Some(user_id(user)), ..event(number) };
        let store = MemoryStore::with_events([by(1, "ann"), by(2, "bob"), by(3, "bob")]);
        let filter = EventFilter { user_id: Values { any_of: vec![user_id("ann")], ..Values::default() }, ..all() };
        let page = follow_events(&store, &filter, FeedStart::Beginning, 0, "cursor", 10).unwrap();
        assert_eq!((numbers(&page), page.next.after), (vec![1], 3));
    }

    #[test]
    fn a_page_may_look_at_a_bounded_number_of_events() {
        let by = |number, user: &str| Event { user_id: Some(user_id(user)), ..event(number) };
        let store = MemoryStore::with_events([by(1, "bob"), by(2, "bob"), by(3, "bob"), by(4, "ann")]);
        let filter = EventFilter { user_id: Values { any_of: vec![user_id("ann")], ..Values::default() }, ..all() };
        let within = |start| follow_events_within(&store, &filter, start, 0, "cursor", 10, 3).unwrap();
        let first = within(FeedStart::Beginning);
        assert_eq!((numbers(&first), first.next.after, first.has_more), (vec![], 3, true));
        let second = within(FeedStart::At(first.next));
        assert_eq!((numbers(&second), second.next.after, second.has_more), (vec![4], 4, false));
    }

    #[test]
    fn a_reading_from_now_on_has_nothing_old() {
        let store = MemoryStore::with_events([1, 2].map(event));
        let now = page(&store, FeedStart::Now, 10);
        assert_eq!((numbers(&now), now.next.after), (vec![], 2));
    }

    #[test]
    fn audit_events_of_reads_are_left_out() {
        let read = Event::system(EventId(Uuid::from_u128(99)), event(1).occurred_at, EVENTS_READ, Outcome::Success);
        let store = MemoryStore::with_events([event(1), read, event(2)]);
        assert_eq!(numbers(&page(&store, FeedStart::Beginning, 10)), [1, 3]);
    }

    #[test]
    fn each_event_has_a_position_behind_which_the_rest_follows() {
        let store = MemoryStore::with_events([1, 2, 3].map(event));
        let whole = page(&store, FeedStart::Beginning, 10);
        let middle = whole.position_of(&whole.events[1]);
        assert_eq!(numbers(&page(&store, FeedStart::At(middle), 10)), [3]);
        assert_eq!(middle.reader, 9);
    }

    #[test]
    fn a_position_of_another_history_is_gone() {
        let store = MemoryStore::with_events([1].map(event));
        let known = page(&store, FeedStart::Beginning, 10).next;
        let restored = FeedState { history: Uuid::from_u128(2), removed: 0, removed_until: 0 };
        store.prepared(|records| records.feed = Some(restored));
        let gone = follow_events(&store, &all(), FeedStart::At(known), 0, "after", 10).unwrap_err();
        assert!(matches!(gone, Error::Gone(_)), "{gone:?}");
        assert_eq!(code_and_field(&gone), ("cursor_expired", Some("after")));
    }

    #[test]
    fn removals_behind_the_position_are_a_gap_once() {
        let store = MemoryStore::with_events([1, 2, 3, 4].map(event));
        let first = page(&store, FeedStart::Beginning, 1).next;
        let state = FeedState { history: Uuid::nil(), removed: 2, removed_until: 3 };
        store.prepared(|records| records.feed = Some(state));
        let next = page(&store, FeedStart::At(first), 1);
        assert!(next.gap, "2 and 3 may be missing");
        assert!(!page(&store, FeedStart::At(next.next), 1).gap, "the reader knows");
        assert!(!page(&store, FeedStart::Beginning, 1).gap, "a reader that begins gets all that is there");
        store.prepared(|records| records.feed = Some(FeedState { removed: 3, ..state }));
        let behind = FeedPosition { after: 3, ..next.next };
        assert!(!page(&store, FeedStart::At(behind), 1).gap, "the reader had all of them");
    }
}
