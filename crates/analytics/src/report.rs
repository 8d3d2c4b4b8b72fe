//! Reports of callers: a user's pages of one day, and numbers of active users.

use std::collections::HashSet;

use trailkeeper_domain::account::SpentSignature;
use trailkeeper_domain::activity::{ActiveUsers, Period};
use trailkeeper_domain::event::{Event, EventDraft, IngestContext, MAX_FUTURE, Outcome, PAGE_LOAD};
use trailkeeper_domain::id::{EventId, TenantId, UserId};
use trailkeeper_domain::time::{self, Timestamp};
use trailkeeper_domain::usecase::Change;
use trailkeeper_domain::visibility::Visibility;
use trailkeeper_domain::{Error, ErrorDetail, Result};
use uuid::Uuid;

use crate::span::days_of_any_zone;

/// The most pages of one report.
pub const MAX_HISTORIES: usize = 10_000;

/// The UUID namespace of the ids of reported pages. It must never change: a report that is sent again would be stored
/// again.
const REPORTED_PAGE: Uuid = Uuid::from_u128(0x6a1f_2f0e_7f5c_5b5e_9d0e_3c8b_4a77_21d4);

/// A user's pages of one day, as far as the caller knows them.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BehaviorReport {
    /// Any time of the local day, or of the UTC day with the same date.
    pub day: Timestamp,
    /// The user.
    pub user_id: UserId,
    /// The pages, in any order.
    pub histories: Vec<ReportedPage>,
}

/// One page of a report.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ReportedPage {
    /// When the user was on it.
    pub at: Timestamp,
    /// The page.
    pub referer: Referer,
}

/// A page as it was sent.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Referer {
    /// A text: a URL, a bare path, or whatever a user put in their place.
    Text(String),
    /// A text that is no Unicode, as JSON.
    NoUnicode(String),
}

impl Referer {
    /// The text, or the JSON.
    fn as_str(&self) -> &str {
        match self {
            Self::Text(text) | Self::NoUnicode(text) => text,
        }
    }
}

/// Stores a user's pages of one day as events of type `page_load`, all or none: of the only visible tenant, or outside any
/// tenant where several are visible.
///
/// It adds events and never removes any: an audit trail only grows. An event's id is made of user, time and page, so
/// that a page that is sent again is stored once, and the growing list of a day may be sent repeatedly. The events are
/// not of type `userinfo`, so that the number of userinfo calls stays that of real calls.
///
/// Users choose the pages, so none of them refuses the report. A bad one is kept as [`EventDraft::into_event`] keeps the
/// page of any event: the event has no page, and the text is in [`Event::original`]. An empty one is an event without a
/// page.
///
/// # Errors
/// [`Error::TooLarge`] for more than [`MAX_HISTORIES`] pages. [`Error::Invalid`] naming the time of a page that is more than ten minutes ahead of the clock, or not on the same day as the others in any time zone.
pub fn report_behavior(change: Change<'_>, report: &BehaviorReport, visibility: Visibility) -> Result<()> {
    // The peer is the vendor's server and not the user: no address is better than a wrong one.
    let context = IngestContext { now: change.now(), source: None, tenant_scope: visibility.tenant() };
    let events = events_of(report, &context)?;
    change.write(|tx| tx.insert_events(&events).map(|_| ()))
}

fn events_of(report: &BehaviorReport, context: &IngestContext) -> Result<Vec<Event>> {
    if report.histories.len() > MAX_HISTORIES {
        return Err(Error::TooLarge(ErrorDetail::of(
            "histories",
            "too_many_histories",
            format!(
                "has {} entries; at most {MAX_HISTORIES} are allowed in one request, so send the rest in another",
                report.histories.len()
            ),
        )));
    }
    let mut days = days_of_any_zone(report.day);
    let mut seen = HashSet::with_capacity(report.histories.len());
    let mut events = Vec::with_capacity(report.histories.len());
    for (index, history) in report.histories.iter().enumerate() {
        days.retain(|day| day.start <= history.at && history.at < day.end);
        check_time(&format!("histories[{index}].timestamp"), history.at, report.day, !days.is_empty(), context.now)?;
        let id = id_of(&report.user_id, history);
        if seen.insert(id) {
            events.push(event_of(id, &report.user_id, history, context)?);
        }
    }
    Ok(events)
}

fn check_time(field: &str, at: Timestamp, day: Timestamp, on_the_day: bool, now: Timestamp) -> Result<()> {
    let seconds = at.timestamp();
    if !on_the_day {
        return Err(Error::invalid(
            field,
            format!(
                "{seconds} ({}) does not lie on the day of 'timestamp' ({}) and of the histories before it, in any time zone; send each day in a request of its own",
                time::rfc3339(at),
                time::rfc3339(day)
            ),
        ));
    }
    if at > now + MAX_FUTURE {
        return Err(Error::invalid(
            field,
            format!(
                "{seconds} ({}) is more than 10 minutes ahead of the server's clock ({}); check the sender's clock",
                time::rfc3339(at),
                time::rfc3339(now)
            ),
        ));
    }
    Ok(())
}

/// The id made of user, time and page. NUL separates them: neither a user id nor a time can contain it, and the page, which
/// can, is the last.
fn id_of(user: &UserId, history: &ReportedPage) -> EventId {
    let name = format!("{user}\0{}\0{}", history.at.timestamp(), history.referer.as_str());
    EventId(Uuid::new_v5(&REPORTED_PAGE, name.as_bytes()))
}

fn event_of(id: EventId, user: &UserId, history: &ReportedPage, context: &IngestContext) -> Result<Event> {
    let mut draft = EventDraft {
        occurred_at: Some(history.at),
        user_id: Some(user.as_str().to_owned()),
        kind: PAGE_LOAD.to_owned(),
        outcome: Some(Outcome::Success),
        ..EventDraft::default()
    };
    match &history.referer {
        Referer::Text(text) => draft.page = Some(text.clone()),
        Referer::NoUnicode(json) => drop(draft.mistyped.insert("page", json.clone())),
    }
    draft.into_event(context, id).map(|checked| checked.event)
}

/// Sets the number of active users of one period, tenant and environment. From then on it replaces the computed one; a
/// later report replaces it.
///
/// A report with a signature takes effect once. Otherwise a recorded request could be sent again after a later report,
/// while its signature is valid, and bring the old number back.
///
/// # Errors
/// [`Error::NotFound`] for a tenant that is not visible, [`Error::Invalid`] for the system tenant.
pub fn report_active_users(
    change: Change<'_>,
    period: Period,
    reported: &ActiveUsers,
    visibility: Visibility,
    signed: Option<(SpentSignature, Timestamp)>,
) -> Result<()> {
    visibility.check(reported.tenant_id)?;
    if reported.tenant_id == TenantId::SYSTEM {
        return Err(Error::invalid(
            "tenant_id",
            "the all-ones UUID is the server's own trail, which has no active users; send a tenant's id",
        ));
    }
    let reported = ActiveUsers { start: period.start_of(reported.start), ..*reported };
    change.write(|tx| match signed {
        Some((signature, now)) if !tx.spend_signature(&signature, now)? => Ok(()),
        _ => tx.put_reported_active_users(period, &reported),
    })
}

#[cfg(test)]
mod tests {
    use trailkeeper_domain::page::Page;
    use trailkeeper_domain::time::parse_rfc3339;

    use super::*;

    fn at(text: &str) -> Timestamp {
        parse_rfc3339("at", text).unwrap()
    }

    fn report(pages: &[(&str, &str)]) -> BehaviorReport {
        BehaviorReport {
            day: at("2026-11-22T12:00:00Z"),
            user_id: UserId::parse("user_id", "u1").unwrap(),
            histories: pages
                .iter()
                .map(|(time, page)| ReportedPage { at: at(time), referer: Referer::Text((*page).to_owned()) })
                .collect(),
        }
    }

    fn events(report: &BehaviorReport) -> Result<Vec<Event>> {
        events_of(report, &context("2026-11-22T20:00:00Z"))
    }

    fn context(now: &str) -> IngestContext {
        IngestContext { now: at(now), source: None, tenant_scope: None }
    }

    #[test]
    fn a_page_sent_twice_is_one_event_with_a_stable_id() {
        let once = report(&[("2026-11-22T00:00:00Z", "/users?action=delete_user")]);
        let twice = report(&[
            ("2026-11-22T00:00:00Z", "/users?action=delete_user"),
            ("2026-11-22T00:00:00Z", "/users"),
            ("2026-11-22T00:00:00Z", "/users?action=delete_user"),
        ]);
        let (once, twice) = (events(&once).unwrap(), events(&twice).unwrap());
        assert_eq!(once.len(), 1);
        assert_eq!(twice.len(), 2);
        assert_eq!(once[0], twice[0]);
        // Computed with Python's uuid5. If it changed, reports that are sent again would count twice.
        assert_eq!(once[0].id.to_string(), "24eb12a7-6872-57be-91b1-fabe371cc80e");
        assert_eq!(once[0].page.as_ref().unwrap().as_str(), "/users?action=delete_user");
    }

    #[test]
    fn a_bad_page_is_kept_beside_an_event_without_page() {
        let long = "x".repeat(2049);
        let pages = ["/a", &long, "/a\0b", "", "/b\u{1b}[2J"].map(|page| ("2026-11-22T08:00:00Z", page));
        let mut report = report(&pages);
        let no_unicode = Referer::NoUnicode("\"/\\ud83d\"".to_owned());
        report.histories.push(ReportedPage { at: at("2026-11-22T08:00:00Z"), referer: no_unicode });
        let stored = events(&report).unwrap();
        let text = |event: &Event| event.original.get("page").map(|page| page.text.clone());
        let expected = [
            (Some("/a"), None),
            (None, Some("x".repeat(1024))),
            (None, Some("/a\u{2400}b".to_owned())),
            (None, None),
            (None, Some("/b\u{1b}[2J".to_owned())),
            (None, Some("\"/\\ud83d\"".to_owned())),
        ];
        let kept: Vec<_> = stored.iter().map(|event| (event.page.as_ref().map(Page::as_str), text(event))).collect();
        assert_eq!(kept, expected);
        // Computed with Python's uuid5 of the whole text.
        let ids = [stored[1].id.to_string(), stored[2].id.to_string(), stored[3].id.to_string()];
        assert_eq!(
            ids,
            [
                "933752e5-87d5-533d-ae62-ae5030c5ab27",
                "2e685e32-137e-5daa-b6bc-6f70c3f6d829",
                "c74dbd77-2657-5e6e-a1d7-2bf8577e1d6b"
            ]
        );
        assert_eq!(events(&report).unwrap(), stored, "sent again");
        for event in &stored {
            assert_eq!(
                (event.user_id.as_ref(), event.occurred_at),
                (Some(&report.user_id), at("2026-11-22T08:00:00Z"))
            );
            assert_eq!((event.kind.as_str(), event.outcome, event.source), (PAGE_LOAD, Outcome::Success, None));
        }
    }

    #[test]
    fn times_outside_the_day_or_ahead_of_the_clock_are_rejected_by_name() {
        let outside = "does not lie on the day of 'timestamp' (2026-11-22T12:00:00Z) and of the histories before it";
        for (time, text) in [
            ("2026-11-21T09:59:59Z", outside),
            ("2026-11-23T00:00:00Z", outside),
            ("2026-11-22T20:10:01Z", "more than 10 minutes ahead"),
        ] {
            let error = events(&report(&[("2026-11-22T00:00:00Z", "/a"), (time, "/b")])).unwrap_err();
            assert_eq!(error.detail().unwrap().field.as_deref(), Some("histories[1].timestamp"), "{error}");
            assert!(error.to_string().contains(text), "{error}");
        }
        assert!(events(&report(&[("2026-11-22T20:10:00Z", "/a"), ("2026-11-22T00:00:00Z", "/b")])).is_ok());
    }

    /// Whether a report of these times is accepted.
    fn is_one_day(day: &str, times: &[&str]) -> bool {
        let pages: Vec<_> = times.iter().map(|time| (*time, "/a")).collect();
        let report = BehaviorReport { day: at(day), ..report(&pages) };
        events_of(&report, &context("2027-01-01T00:00:00Z")).is_ok()
    }

    #[test]
    fn a_day_is_a_day_of_any_time_zone() {
        let tokyo = ["2026-11-21T15:00:00Z", "2026-11-22T14:59:59Z"];
        // Named by its first second, by a time inside, and by the date at midnight UTC.
        for day in [tokyo[0], "2026-11-22T03:00:00Z", "2026-11-22T00:00:00Z"] {
            assert!(is_one_day(day, &tokyo), "{day}");
        }
        for times in [["2026-11-21T14:59:59Z", tokyo[1]], [tokyo[0], "2026-11-22T15:00:00Z"]] {
            assert!(!is_one_day(tokyo[0], &times), "{times:?}");
        }
        // 22 November in New York, named by midnight UTC of its date.
        assert!(is_one_day("2026-11-22T00:00:00Z", &["2026-11-22T05:00:00Z", "2026-11-23T04:59:59Z"]));
        // The first and the last day of the date line.
        assert!(is_one_day("2026-11-21T10:00:00Z", &["2026-11-21T10:00:00Z", "2026-11-22T09:59:59Z"]));
        assert!(is_one_day("2026-11-23T11:59:59Z", &["2026-11-22T12:00:00Z", "2026-11-23T11:59:59Z"]));
        // A day of 25 hours in New York; of 26 hours at the Troll station, the longest of any zone.
        assert!(is_one_day("2026-11-01T12:00:00Z", &["2026-11-01T04:00:00Z", "2026-11-02T04:59:59Z"]));
        assert!(is_one_day("2026-10-25T12:00:00Z", &["2026-10-24T22:00:00Z", "2026-10-25T23:59:59Z"]));
        assert!(!is_one_day("2026-10-25T12:00:00Z", &["2026-10-24T21:59:59Z", "2026-10-25T23:59:59Z"]));
        assert!(!is_one_day("2026-11-22T12:00:00Z", &["2026-11-22T00:00:00Z", "2026-11-23T00:00:00Z"]));
        // Far from the day that is named, although they are on one day.
        assert!(!is_one_day("2026-11-20T00:00:00Z", &tokyo));
    }

    #[test]
    fn too_many_pages_are_rejected_with_the_limit() {
        let mut report = report(&[("2026-11-22T00:00:00Z", "/a")]);
        report.histories = vec![report.histories[0].clone(); MAX_HISTORIES + 1];
        assert!(matches!(events(&report), Err(Error::TooLarge(fault)) if fault.detail.contains("10000")));
    }
}
