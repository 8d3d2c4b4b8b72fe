//! Finding events: lists with a cursor, and single events by id.

use crate::cursor::{self, Paged};
use crate::error::{Error, Result};
use crate::event::{EventFilter, StoredEvent};
use crate::id::EventId;
use crate::ports::Store;
use crate::time::{self, TimeRange, Timestamp};
use crate::visibility::Visibility;

/// A page of events, newest first. `cursor` is the [`Paged::next`] of the previous page; `cursor_field` is the name of
/// its field in errors.
pub fn list_events(
    store: &dyn Store,
    filter: &EventFilter,
    cursor: Option<&str>,
    cursor_field: &str,
    limit: usize,
) -> Result<Paged<StoredEvent>> {
    check_range(filter)?;
    let after = cursor.map(|cursor| cursor::to_event(cursor_field, cursor)).transpose()?;
    let events = store.reading(|tx| tx.events(filter, after, limit + 1))?;
    Ok(Paged::cut(events, limit, |event| cursor::of_event(event.position())))
}

/// The number of events that match. [`Error::Invalid`] for a range that ends before it begins.
pub fn count_events(store: &dyn Store, filter: &EventFilter) -> Result<u64> {
    check_range(filter)?;
    store.reading(|tx| tx.count_events(filter))
}

/// The number of distinct users of the events that match. Errors as [`count_events`].
pub fn count_users(store: &dyn Store, filter: &EventFilter) -> Result<u64> {
    check_range(filter)?;
    store.reading(|tx| tx.distinct_users(filter))
}

/// The number of matching events in each bucket, all of one snapshot. The buckets ascend, and each begins where the one
/// before ends.
pub fn event_histogram(store: &dyn Store, filter: &EventFilter, buckets: &[TimeRange]) -> Result<Vec<u64>> {
    let starts = buckets.iter().map(|bucket| bucket.start);
    let edges: Vec<Timestamp> = starts.chain(buckets.last().map(|last| last.end)).collect();
    let counts = store.reading(|tx| tx.event_histogram(filter, &edges))?;
    if counts.len() != buckets.len() {
        return Err(Error::internal(format!("the store counted {} of {} buckets", counts.len(), buckets.len())));
    }
    Ok(counts)
}

pub(super) fn check_range(filter: &EventFilter) -> Result<()> {
    match (filter.from, filter.until) {
        (Some(from), Some(until)) if from >= until => Err(time::empty_range(from, until)),
        _ => Ok(()),
    }
}

/// The event with this id. [`Error::NotFound`] if no visible tenant uses the id. [`Error::Conflict`] if several do; the
/// caller must then narrow `visibility` to one of them.
pub fn find_event(store: &dyn Store, id: EventId, visibility: Visibility) -> Result<StoredEvent> {
    let mut found = store.reading(|tx| tx.events_by_id(id, visibility.tenant()))?;
    found.retain(|found| visibility.sees(found.event.tenant_id));
    match (found.pop(), found.is_empty()) {
        (Some(event), true) => Ok(event),
        (Some(_), false) => Err(Error::conflict(
            "tenant_id",
            "ambiguous_event",
            format!("several tenants have an event '{id}'; add tenant_id to say which"),
        )),
        (None, _) => Err(Error::not_found("event_not_found", format!("there is no event '{id}'"))),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::event::{Event, Outcome, Values};
    use crate::id::TenantId;
    use crate::testing::{
        CUSTOMERS, EVERYTHING, MemoryStore, code_and_field, event, of_tenant, tenant_id, user_id, uuid,
    };

    fn second(second: i64) -> Timestamp {
        Timestamp::from_timestamp(second, 0).unwrap()
    }

    fn all() -> EventFilter {
        EventFilter::within(EVERYTHING)
    }

    /// The times of the events of each page, in seconds.
    fn pages(store: &dyn Store, filter: &EventFilter, limit: usize) -> Vec<Vec<i64>> {
        let mut pages = Vec::new();
        let mut cursor: Option<String> = None;
        loop {
            let page = list_events(store, filter, cursor.as_deref(), "cursor", limit).unwrap();
            pages.push(page.items.iter().map(|stored| stored.event.occurred_at.timestamp()).collect());
            let Some(next) = page.next else { return pages };
            cursor = Some((*next).to_owned());
        }
    }

    #[test]
    fn events_come_newest_first_and_each_once() {
        let store = MemoryStore::with_events([3, 1, 5, 2, 4].map(event));
        assert_eq!(pages(&store, &all(), 2), [vec![5, 4], vec![3, 2], vec![1]]);
        assert_eq!(pages(&store, &all(), 5).len(), 1, "a full last page promises no other page");
        assert_eq!(pages(&MemoryStore::default(), &all(), 5), [Vec::<i64>::new()]);
    }

    #[test]
    fn events_of_one_instant_are_split_between_pages_without_loss() {
        let same = (1..=5).map(|number| Event { occurred_at: second(7), ..event(number) });
        let store = MemoryStore::with_events(same);
        assert_eq!(pages(&store, &all(), 2), [vec![7, 7], vec![7, 7], vec![7]]);
    }

    #[test]
    fn a_range_contains_its_start_and_not_its_end() {
        let store = MemoryStore::with_events((1..=5).map(event));
        let filter = EventFilter { from: Some(second(2)), until: Some(second(4)), ..all() };
        assert_eq!(pages(&store, &filter, 10), [[3, 2]]);
    }

    #[test]
    fn a_range_that_ends_before_it_begins_is_refused() {
        let store = MemoryStore::with_events([event(3)]);
        for (from, until) in [(4, 3), (3, 3)] {
            let filter = EventFilter { from: Some(second(from)), until: Some(second(until)), ..all() };
            let error = list_events(&store, &filter, None, "cursor", 10).unwrap_err();
            assert!(matches!(error, Error::Invalid(_)), "{error:?}");
            for number in [count_events(&store, &filter), count_users(&store, &filter)] {
                assert!(matches!(number, Err(Error::Invalid(_))), "{number:?}");
            }
        }
        let open = EventFilter { from: Some(second(9)), ..all() };
        assert_eq!(pages(&store, &open, 10), [Vec::<i64>::new()], "an open range is never empty in itself");
    }

    #[test]
    fn a_bad_cursor_is_refused_under_the_name_of_its_field() {
        for bad in ["", "e", "u616e6e", "e312e", &cursor::encode('e', "01.1")] {
            let error = list_events(&MemoryStore::default(), &all(), Some(bad), "page_token", 10).unwrap_err();
            assert_eq!(code_and_field(&error), ("invalid_parameter", Some("page_token")), "{bad}");
        }
    }

    #[test]
    fn numbers_are_those_of_the_list() {
        let by = |number, user: &str| Event { user_id: Some(user_id(user)), ..event(number) };
        let events = [by(1, "ann"), by(2, "bob"), by(4, "ann"), by(9, "cy"), Event { user_id: None, ..event(4) }];
        let store = MemoryStore::with_events(events);
        let bucket = |start, end| TimeRange { start: second(start), end: second(end) };
        let buckets = [bucket(0, 2), bucket(2, 4), bucket(4, 5), bucket(5, 8)];
        for (filter, events, users, histogram) in [
            (all(), 5, 3, [1, 1, 2, 0]),
            (EventFilter { user_id: Values::none_of([user_id("ann")]), ..all() }, 3, 2, [0, 1, 1, 0]),
            (EventFilter { user_id: Values::only(user_id("ann")), ..all() }, 2, 1, [1, 0, 1, 0]),
            (EventFilter { from: Some(second(2)), until: Some(second(4)), ..all() }, 1, 1, [0, 1, 0, 0]),
            (EventFilter { outcome: Values::only(Outcome::Failure), ..all() }, 0, 0, [0; 4]),
        ] {
            assert_eq!(count_events(&store, &filter).unwrap(), events, "{filter:?}");
            assert_eq!(count_users(&store, &filter).unwrap(), users, "{filter:?}");
            assert_eq!(event_histogram(&store, &filter, &buckets).unwrap(), histogram, "{filter:?}");
        }
        assert_eq!(event_histogram(&store, &all(), &[]).unwrap(), [0; 0]);
    }

    /// The tenant of the event with the id 1, or the code of the error.
    fn tenant_of(store: &MemoryStore, visibility: Visibility) -> std::result::Result<TenantId, &'static str> {
        match find_event(store, EventId(uuid(1)), visibility) {
            Ok(found) => Ok(found.event.tenant_id),
            Err(error) => Err(code_and_field(&error).0),
        }
    }

    #[test]
    fn an_event_is_found_by_those_who_see_its_tenant() {
        let of = |tenant_id| MemoryStore::with_events([Event { tenant_id, ..event(1) }, event(2)]);
        for (tenant, visibility, expected) in [
            (tenant_id(1), EVERYTHING, Ok(tenant_id(1))),
            (tenant_id(1), CUSTOMERS, Ok(tenant_id(1))),
            (tenant_id(1), of_tenant(tenant_id(1)), Ok(tenant_id(1))),
            (tenant_id(1), of_tenant(tenant_id(2)), Err("event_not_found")),
            (TenantId::NONE, CUSTOMERS, Ok(TenantId::NONE)),
            (TenantId::SYSTEM, EVERYTHING, Ok(TenantId::SYSTEM)),
            (TenantId::SYSTEM, CUSTOMERS, Err("event_not_found")),
        ] {
            assert_eq!(tenant_of(&of(tenant), visibility), expected, "{tenant} {visibility:?}");
        }
    }

    #[test]
    fn an_id_of_several_visible_tenants_needs_the_tenant() {
        let of = |tenant_id| Event { tenant_id, ..event(1) };
        let store = MemoryStore::with_events([tenant_id(1), tenant_id(2)].map(of));
        assert_eq!(tenant_of(&store, CUSTOMERS), Err("ambiguous_event"));
        assert_eq!(tenant_of(&store, of_tenant(tenant_id(2))), Ok(tenant_id(2)));
        let error = find_event(&store, EventId(uuid(1)), CUSTOMERS).unwrap_err();
        assert_eq!(code_and_field(&error).1, Some("tenant_id"), "the way out");
    }

    #[test]
    fn an_id_in_the_system_tenant_does_not_disturb_those_who_do_not_see_it() {
        let of = |tenant_id| Event { tenant_id, ..event(1) };
        let store = MemoryStore::with_events([TenantId::SYSTEM, tenant_id(1)].map(of));
        assert_eq!(tenant_of(&store, CUSTOMERS), Ok(tenant_id(1)));
        assert_eq!(tenant_of(&store, EVERYTHING), Err("ambiguous_event"));
    }
}
