//! Finding events: lists with a cursor, and single events by id.

use crate::cursor::{self, Paged};
use crate::error::{Error, Result};
use crate::event::{EventFilter, StoredEvent};
use crate::id::EventId;
use crate::ports::Store;
use crate::time;
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
    if let (Some(from), Some(until)) = (filter.from, filter.until)
        && from >= until
    {
        return Err(time::empty_range(from, until));
    }
    let after = cursor.map(|cursor| cursor::to_event(cursor_field, cursor)).transpose()?;
    let events = store.reading(|tx| tx.events(filter, after, limit + 1))?;
    Ok(Paged::cut(events, limit, |event| cursor::of_event(event.position())))
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
    use crate::event::Event;
    use crate::id::TenantId;
    use crate::testing::{CUSTOMERS, EVERYTHING, MemoryStore, code_and_field, event, of_tenant, tenant_id, uuid};
    use crate::time::Timestamp;

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
