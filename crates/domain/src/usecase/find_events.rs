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
