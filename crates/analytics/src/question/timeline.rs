//! The events of a user, newest first, day by day.

use chrono::NaiveDate;
use trailkeeper_domain::Result;
use trailkeeper_domain::cursor::{self, Paged, PlainCursor};
use trailkeeper_domain::event::{EventFilter, EventKind, StoredEvent, Values};
use trailkeeper_domain::id::UserId;
use trailkeeper_domain::ports::Store;
use trailkeeper_domain::time::{self, Timestamp};

use crate::{Audience, Edge, Zone};

/// A question for one page of a user's timeline.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TimelineQuestion {
    /// The user.
    pub user: UserId,
    /// Only events of these types; empty means all.
    pub kinds: Vec<EventKind>,
    /// Only events at or after this time, or the start of this local day.
    pub from: Option<Edge>,
    /// Only events before this time, or before the end of this local day.
    pub to: Option<Edge>,
    /// The time zone of the days.
    pub zone: Zone,
    /// The end of the previous page, as its `next` gave it.
    pub cursor: Option<String>,
    /// The most events on the page.
    pub limit: usize,
}

/// A page of a timeline.
#[derive(Debug, Clone, PartialEq)]
pub struct Timeline {
    /// The days with events, newest first. A day that is cut off continues on the next page.
    pub days: Vec<TimelineDay>,
    /// The cursor of the next page; `None` on the last page.
    pub next: Option<PlainCursor>,
}

/// A day of a timeline.
#[derive(Debug, Clone, PartialEq)]
pub struct TimelineDay {
    /// The local day.
    pub date: NaiveDate,
    /// The events of the day, newest first.
    pub events: Vec<StoredEvent>,
}

/// A page of a user's timeline; empty for an unknown user.
///
/// Events of the system tenant are left out, also if an operator's account has the id of a user.
///
/// # Errors
/// [`Error::Invalid`](trailkeeper_domain::Error::Invalid) for a range that ends before it begins, and for a bad cursor.
pub fn timeline(store: &dyn Store, question: &TimelineQuestion, audience: &Audience) -> Result<Timeline> {
    let (from, until) = range_of(question)?;
    let after = question.cursor.as_deref().map(|cursor| cursor::to_event("cursor", cursor)).transpose()?;
    let filter = EventFilter {
        env_id: audience.env().into(),
        user_id: Values::only(question.user.clone()),
        kind: Values::any_of(question.kinds.iter().cloned()),
        from,
        until,
        ..EventFilter::within(audience.visibility())
    };
    let events = store.reading(|tx| tx.events(&filter, after, question.limit + 1))?;
    let page = Paged::cut(events, question.limit, |event| cursor::of_event(event.position()));
    Ok(Timeline { days: by_day(page.items, |at| question.zone.day_of(at)), next: page.next })
}

fn range_of(question: &TimelineQuestion) -> Result<(Option<Timestamp>, Option<Timestamp>)> {
    let zone = question.zone;
    let from = question.from.map(|edge| edge.start(zone));
    let until = question.to.map(|edge| edge.end(zone));
    match (from, until) {
        (Some(start), Some(end)) if start >= end => Err(time::empty_range(start, end)),
        range => Ok(range),
    }
}

/// Groups events by day. Where clocks are set back over midnight, a day comes back after the next one has begun; its
/// events are still grouped together, newest first.
fn by_day(events: Vec<StoredEvent>, day_of: impl Fn(Timestamp) -> NaiveDate) -> Vec<TimelineDay> {
    let mut days: Vec<TimelineDay> = Vec::new();
    for event in events {
        let date = day_of(event.event.occurred_at);
        match days.iter_mut().rev().take(2).find(|day| day.date == date) {
            Some(day) => day.events.push(event),
            None => days.push(TimelineDay { date, events: vec![event] }),
        }
    }
    days
}

#[cfg(test)]
mod tests {
    use trailkeeper_domain::event::{Event, Outcome};
    use trailkeeper_domain::id::{EventId, TenantId};
    use trailkeeper_domain::time::{parse_day, parse_rfc3339};
    use uuid::Uuid;

    use super::*;

    fn event(at: &str) -> StoredEvent {
        let at = parse_rfc3339("at", at).unwrap();
        let kind = EventKind::known("x");
        let event = Event::new(EventId(Uuid::nil()), TenantId::NONE, at, kind, Outcome::Unknown);
        StoredEvent { event, seq: 1, missing_names: Vec::new() }
    }

    fn days(zone: &str, times: &[&str]) -> Vec<(String, usize)> {
        let zone = Zone::parse("timezone", zone).unwrap();
        let days = by_day(times.iter().map(|at| event(at)).collect(), |at| zone.day_of(at));
        days.into_iter().map(|day| (day.date.to_string(), day.events.len())).collect()
    }

    #[test]
    fn events_are_grouped_by_local_day() {
        let times = ["2026-03-02T15:00:00Z", "2026-03-02T14:59:59Z", "2026-02-28T12:00:00Z"];
        let day = |date: &str, events| (date.to_owned(), events);
        assert_eq!(days("UTC", &times), [day("2026-03-02", 2), day("2026-02-28", 1)]);
        assert_eq!(days("Asia/Tokyo", &times), [day("2026-03-03", 1), day("2026-03-02", 1), day("2026-02-28", 1)]);
        assert_eq!(days("UTC", &[]), []);
    }

    #[test]
    fn a_day_that_comes_back_is_one_group() {
        // In St. John's clocks went from 00:01 of 7 November 2010 back to 23:01 of the day before.
        let times = ["2010-11-07T04:00:00Z", "2010-11-07T03:00:00Z", "2010-11-07T02:30:30Z", "2010-11-07T02:29:59Z"];
        let expected = [("2010-11-07".to_owned(), 2), ("2010-11-06".to_owned(), 2)];
        assert_eq!(days("America/St_Johns", &times), expected);
    }

    #[test]
    fn days_of_the_range_are_local() {
        let question = |from, to| TimelineQuestion {
            user: UserId::parse("user", "u").unwrap(),
            kinds: Vec::new(),
            from,
            to,
            zone: Zone::parse("timezone", "Asia/Tokyo").unwrap(),
            cursor: None,
            limit: 1,
        };
        let day = Some(Edge::Day(parse_day("day", "2026-03-02").unwrap()));
        let at = |text| parse_rfc3339("at", text).unwrap();
        let whole = range_of(&question(day, day)).unwrap();
        assert_eq!(whole, (Some(at("2026-03-01T15:00:00Z")), Some(at("2026-03-02T15:00:00Z"))));
        assert_eq!(range_of(&question(None, None)).unwrap(), (None, None));
        let start = Some(Edge::Instant(at("2026-03-01T15:00:00Z")));
        let error = range_of(&question(day, start)).unwrap_err();
        assert_eq!(error.detail().unwrap().field.as_deref(), Some("from"));
    }
}
