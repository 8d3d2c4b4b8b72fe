//! Random lists, counts, histograms and numbers of users of any combination of filters. Cursors are kept, and continued
//! after merges, rebuilds and late events.

use std::collections::HashSet;

use chrono::Duration;
use trailkeeper_domain::address::AddressRange;
use trailkeeper_domain::event::{Event, EventFilter, EventKind, EventPosition, Outcome, StoredEvent, Values};
use trailkeeper_domain::id::{EventId, TenantId};
use trailkeeper_domain::page::PageRule;
use trailkeeper_domain::ports::NumberRange;
use trailkeeper_domain::time::Timestamp;
use trailkeeper_testkit::visibility::{CUSTOMERS, EVERYTHING, of_tenant};
use trailkeeper_testkit::{tenant_id, user_id};

use crate::history::Server;
use crate::model::Model;
use crate::random::Random;

/// The most cursors that are kept.
const CURSORS: usize = 12;

/// A list that was read in part.
#[derive(Debug)]
pub(crate) struct Cursor {
    filter: EventFilter,
    position: EventPosition,
    /// The event at the position.
    event: (TenantId, EventId),
}

/// Continues a list or begins one, and asks for the numbers of its events.
pub(crate) fn ask(random: &Random, server: Server<'_>, model: &Model, cursors: &mut Vec<Cursor>) {
    let at = usize::try_from(random.below(2 * CURSORS as u64)).unwrap();
    let cursor = (at < cursors.len()).then(|| cursors.swap_remove(at));
    let filter = cursor.as_ref().map_or_else(|| filter(random), |cursor| cursor.filter.clone());
    let expected = listed(model, &filter);
    // Events that came later may lie before the cursor. By another rule of pages, the event itself may not match any more.
    let last_seen = cursor.as_ref().map(|cursor| place(model, model.event(cursor.event)));
    let before = expected.iter().filter(|event| last_seen.is_some_and(|seen| place(model, event) >= seen)).count();
    let limit = random.pick(&[1, 5, 40]);
    let after = cursor.as_ref().map(|cursor| cursor.position);
    let page = server.store.reading(|tx| tx.events(&filter, after, limit)).unwrap();
    let wanted: Vec<&Event> = expected.iter().copied().skip(before).take(limit).collect();
    assert_eq!(sent(&page), wanted, "{limit} after {cursor:?} of {filter:?}");
    if let Some(last) = page.last()
        && cursors.len() < CURSORS
    {
        let event = (last.event.tenant_id, last.event.id);
        cursors.push(Cursor { filter: filter.clone(), position: last.position(), event });
    }
    ask_numbers(random, server, &filter, &expected);
    ask_feed(server, model, &filter);
}

/// Reads the feed from behind a random event on.
fn ask_feed(server: Server<'_>, model: &Model, filter: &EventFilter) {
    let all = model.all();
    // Random numbers of its own: the steps of a history with a known seed stay as they are.
    let random = Random::new(all.len() as u64);
    let skipped = usize::try_from(random.below(all.len() as u64 + 1)).unwrap();
    let limit = random.pick(&[1, 7, 60]);
    let page = server.store.reading(|tx| {
        let before = skipped.checked_sub(1).map(|last| (all[last].id, all[last].tenant_id));
        let after = match before {
            None => 0,
            Some((id, tenant)) => tx.events_by_id(id, Some(tenant))?[0].seq,
        };
        tx.events_by_number(filter, NumberRange { after, until: i64::MAX }, limit)
    });
    let rule = model.rule();
    let wanted: Vec<&Event> = all[skipped..].iter().filter(|event| matches(filter, event, rule)).take(limit).collect();
    assert_eq!(sent(&page.unwrap()), wanted, "{limit} behind {skipped} of {filter:?}");
}

fn ask_numbers(random: &Random, server: Server<'_>, filter: &EventFilter, expected: &[&Event]) {
    let (one, other) = (random.moment(), random.moment());
    let step = (one.max(other) - one.min(other)) / 7 + Duration::microseconds(1);
    let edges: Vec<Timestamp> = (0..=7).map(|nth| one.min(other) + step * nth).collect();
    let offset = random.below(expected.len() as u64 + 2);
    let (count, histogram, users, page) = server
        .store
        .reading(|tx| {
            let histogram = tx.event_histogram(filter, &edges)?;
            let page = tx.events_at_offset(filter, offset, 3)?;
            Ok((tx.count_events(filter)?, histogram, tx.distinct_users(filter)?, page))
        })
        .unwrap();
    assert_eq!(count, expected.len() as u64, "{filter:?}");
    let inside = |edges: &[Timestamp]| {
        expected.iter().filter(|event| (edges[0]..edges[1]).contains(&event.occurred_at)).count() as u64
    };
    assert_eq!(histogram, edges.windows(2).map(inside).collect::<Vec<_>>(), "{edges:?} of {filter:?}");
    let distinct: HashSet<_> = expected.iter().filter_map(|event| event.user_id.as_ref()).collect();
    assert_eq!(users, distinct.len() as u64, "{filter:?}");
    let wanted: Vec<&Event> = expected.iter().copied().skip(usize::try_from(offset).unwrap()).take(3).collect();
    assert_eq!(sent(&page), wanted, "from {offset} of {filter:?}");
}

/// The place of an event in the order of lists.
fn place(model: &Model, event: &Event) -> (Timestamp, usize) {
    (event.occurred_at, model.order((event.tenant_id, event.id)))
}

fn sent(page: &[StoredEvent]) -> Vec<&Event> {
    page.iter().map(|stored| &stored.event).collect()
}

/// The events of a list, newest first.
fn listed<'a>(model: &'a Model, filter: &EventFilter) -> Vec<&'a Event> {
    let rule = model.rule();
    let mut found: Vec<&Event> = model.all().iter().filter(|event| matches(filter, event, rule)).collect();
    // It is stable: events of the same time stay in the order of storage.
    found.sort_by_key(|event| event.occurred_at);
    found.reverse();
    found
}

/// The rule of filters once more.
fn matches(filter: &EventFilter, event: &Event, rule: PageRule) -> bool {
    fn keeps<T>(wanted: &Values<T>, same: impl Fn(&T) -> bool) -> bool {
        (wanted.any_of.is_empty() || wanted.any_of.iter().any(&same)) && !wanted.none_of.iter().any(&same)
    }
    let failed = match event.kind.as_str() {
        "login_fail" => true,
        "login_success" => false,
        _ => event.outcome == Outcome::Failure,
    };
    filter.visibility.sees(event.tenant_id)
        && keeps(&filter.env_id, |env| *env == event.env_id)
        && keeps(&filter.user_id, |user| Some(user) == event.user_id.as_ref())
        && keeps(&filter.kind, |kind| kind.as_str() == event.kind.as_str())
        && keeps(&filter.outcome, |outcome| *outcome == event.outcome)
        && filter.failed.is_none_or(|wanted| wanted == failed)
        && keeps(&filter.source, |range| event.source.is_some_and(|ip| range.first <= ip && ip <= range.last))
        && keeps(&filter.page, |page| event.page.as_ref().is_some_and(|sent| sent.key(&rule) == rule.key(page)))
        && keeps(&filter.session_id, |session| Some(session) == event.session_id.as_ref())
        && filter.from.is_none_or(|from| from <= event.occurred_at)
        && filter.until.is_none_or(|until| event.occurred_at < until)
}

fn filter(random: &Random) -> EventFilter {
    let visibility = match random.below(6) {
        0 => CUSTOMERS,
        1 => of_tenant(TenantId::SYSTEM),
        2 => of_tenant(tenant_id(99)),
        3 => EVERYTHING,
        _ => of_tenant(random.tenant()),
    };
    let mut filter = EventFilter::within(visibility);
    filter.env_id = values(random, 15, || random.env());
    filter.user_id = values(random, 30, || if random.chance(10) { user_id("nobody") } else { random.user() });
    filter.kind =
        values(random, 40, || EventKind::known(random.pick(&["page_load", "login_fail", "sign_up", "never"])));
    filter.outcome = values(random, 20, || random.pick(&Outcome::ALL));
    filter.failed = random.maybe(15, || random.chance(50));
    filter.source = values(random, 25, || {
        let range = random.pick(&["192.0.2.1", "192.0.2.0/24", "2001:db8::/32", "203.0.113.7"]);
        AddressRange::parse("source", range).unwrap()
    });
    filter.page = values(random, 25, || random.pick(&["/", "/users", "/Ä", "/new/7", "(other)", "/b"]).to_owned());
    filter.session_id = values(random, 15, || format!("s{}", random.below(5)));
    if random.chance(40) {
        let range = random.range();
        filter.from = random.maybe(70, || range.start);
        filter.until = random.maybe(70, || range.end);
    }
    filter
}

/// A condition that `percent` of the filters have: up to three values that are wanted, excluded, or both.
fn values<T>(random: &Random, percent: u64, value: impl Fn() -> T) -> Values<T> {
    let some = || (0..=random.below(3)).map(|_| value()).collect();
    if !random.chance(percent) {
        return Values::default();
    }
    match random.below(5) {
        0..3 => Values { any_of: some(), none_of: Vec::new() },
        3 => Values { any_of: Vec::new(), none_of: some() },
        _ => Values { any_of: some(), none_of: some() },
    }
}
