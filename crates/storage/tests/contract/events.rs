//! Inserts and lists of events.

use std::collections::{BTreeMap, HashSet};
use std::net::IpAddr;

use trailkeeper_domain::address::AddressRange;
use trailkeeper_domain::event::{
    Event, EventFilter, EventKind, EventPosition, Metadata, Original, Outcome, READS, StoredEvent, Target, Values,
};
use trailkeeper_domain::id::{EnvId, EventId, TenantId, UserId};
use trailkeeper_domain::page::{Page, PageRule};
use trailkeeper_testkit::{all_events, at, event, tenant_id, user_id, uuid, visibility};

use crate::{EventsIn, TestStore};

trailkeeper_testkit::on_both!(crate::TestStore::new =>
    every_field_is_stored,
    a_known_id_is_stored_once_per_tenant,
    the_first_of_several_with_one_id_is_stored,
    events_of_the_same_time_are_in_the_order_of_storage,
    lists_of_customers_omit_the_system_tenant,
    a_network_matches_its_addresses,
    long_pages_that_differ_at_the_end_are_different,
    pages_of_a_list_skip_and_repeat_no_event,
    several_types_are_one_list,
    offsets_skip_from_the_newest,
    events_are_found_by_id,
    large_batches_are_stored,
    a_large_batch_is_stored_as_a_small_one_is,
);

impl TestStore {
    pub(crate) fn insert(&self, events: &[Event]) -> Vec<bool> {
        if self.events_in != EventsIn::Runs {
            return self.store.writing(|tx| tx.insert_events(events)).unwrap();
        }
        // Two runs, and a delta that waits.
        let mut parts = events.chunks(events.len().div_ceil(3).max(1));
        let mut stored = Vec::new();
        for part in parts.by_ref().take(2) {
            stored.extend(self.store.writing(|tx| tx.insert_events(part)).unwrap());
            self.merge_into_runs();
        }
        parts.for_each(|part| stored.extend(self.store.writing(|tx| tx.insert_events(part)).unwrap()));
        stored
    }

    pub(crate) fn list(&self, filter: &EventFilter) -> Vec<StoredEvent> {
        self.store.reading(|tx| tx.events(filter, None, 10_000)).unwrap()
    }
}

fn full() -> Event {
    let original =
        |text: &str, sha256: Option<&str>| Original { text: text.to_owned(), sha256: sha256.map(str::to_owned) };
    let hash = "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad";
    let metadata = serde_json::json!({"käse": [1, 2.5, null, {"deep": true}], "zwölf": "\u{1F600}", "a": ""});
    Event {
        id: EventId(uuid(1)),
        tenant_id: tenant_id(1),
        env_id: EnvId(u32::MAX),
        occurred_at: at("9999-12-31T23:59:59.999999Z"),
        received_at: at("1970-01-01T00:00:00Z"),
        user_id: Some(user_id(&"ü".repeat(128))),
        user_name: Some("Ann O'Nym".to_owned()),
        kind: EventKind::known("page_load"),
        outcome: Outcome::Failure,
        source: Some("2001:db8::7".parse().unwrap()),
        user_agent: Some("curl/8 \"quoted\" \\".to_owned()),
        page: Some(Page::parse("page", "https://app.example/a?b=c#d").unwrap()),
        session_id: Some("s-1".to_owned()),
        trace_id: Some("t-1".to_owned()),
        target: Some(Target { kind: Some("invoice".into()), id: Some("7".into()), name: None }),
        metadata: metadata.as_object().cloned().map(Metadata::from),
        original: BTreeMap::from([
            ("session_id".to_owned(), original("a\tb\u{2400}\"\\ü", Some(hash))),
            ("target.name".to_owned(), original("5", None)),
        ]),
    }
}

pub(crate) fn every_field_is_stored(t: &TestStore) {
    let bare = Event { user_id: None, ..event(2) };
    assert_eq!(t.insert(&[full(), bare.clone()]), [true, true]);
    let listed: Vec<Event> = t.list(&all_events()).into_iter().map(|stored| stored.event).collect();
    assert_eq!(listed, [full(), bare]);
}

pub(crate) fn a_known_id_is_stored_once_per_tenant(t: &TestStore) {
    let first = event(1);
    let again = Event { occurred_at: at("2020-01-01T00:00:00Z"), kind: EventKind::known("logout"), ..event(1) };
    let elsewhere = Event { tenant_id: tenant_id(1), ..event(1) };
    assert_eq!(t.insert(&[first.clone(), event(2)]), [true, true]);
    assert_eq!(t.insert(&[event(3), again, elsewhere.clone(), event(2)]), [true, false, true, false]);
    let found = t.store.reading(|tx| tx.events_by_id(EventId(uuid(1)), Some(TenantId::NONE))).unwrap();
    assert_eq!(found.len(), 1);
    assert_eq!(found[0].event, first);
    assert_eq!(t.list(&all_events()).len(), 4);
    assert_eq!(t.insert(&[]), Vec::<bool>::new());
}

pub(crate) fn the_first_of_several_with_one_id_is_stored(t: &TestStore) {
    let named = |number, tenant, name: &str, at_hour: u32| Event {
        tenant_id: tenant_id(tenant),
        user_name: Some(name.to_owned()),
        occurred_at: at(&format!("2026-11-22T{at_hour:02}:00:00Z")),
        ..event(number)
    };
    // Unlike the ids of a transaction, those of a batch are in no order.
    let batch = [
        named(2, 1, "first of 2", 9),
        named(1, 1, "first of 1", 8),
        named(2, 1, "second of 2", 1),
        named(2, 2, "the other tenant's", 7),
        named(1, 1, "second of 1", 12),
        named(2, 1, "third of 2", 2),
        named(3, 1, "3", 3),
    ];
    assert_eq!(t.insert(&batch), [true, true, false, true, false, false, true]);
    let stored: Vec<_> = t.list(&all_events()).into_iter().map(|stored| stored.event.user_name.unwrap()).collect();
    assert_eq!(stored, ["first of 2", "first of 1", "the other tenant's", "3"]);
    assert_eq!(t.insert(&batch), [false; 7]);
}

pub(crate) fn events_of_the_same_time_are_in_the_order_of_storage(t: &TestStore) {
    // The ids descend in the order of sending.
    let sent: Vec<Event> = (1..=50).rev().map(event).collect();
    t.insert(&sent);
    let listed = t.list(&all_events());
    let ids: Vec<EventId> = listed.iter().rev().map(|stored| stored.event.id).collect();
    assert_eq!(ids, sent.iter().map(|event| event.id).collect::<Vec<_>>());
    assert!(listed.windows(2).all(|pair| pair[0].seq > pair[1].seq));
}

/// Whether a value is one of those that a condition wants, and none of those that it excludes. `same` compares them.
fn keeps<T, V>(wanted: &Values<T>, value: Option<V>, same: impl Fn(&T, &V) -> bool) -> bool {
    let Some(value) = value else { return wanted.any_of.is_empty() };
    let count = |values: &[T]| values.iter().filter(|one| same(one, &value)).count();
    (wanted.any_of.is_empty() || count(&wanted.any_of) > 0) && count(&wanted.none_of) == 0
}

/// Whether an event matches a filter: a second implementation of the rule.
pub(crate) fn matches(filter: &EventFilter, event: &Event) -> bool {
    let rule = PageRule::default();
    let target = event.target.clone().unwrap_or_default();
    filter.visibility.sees(event.tenant_id)
        && !(filter.without_reads && event.tenant_id == TenantId::SYSTEM && READS.contains(&event.kind.as_str()))
        && keeps(&filter.env_id, Some(event.env_id), |one, env| one == env)
        && keeps(&filter.user_id, event.user_id.clone(), |one, user| one == user)
        && keeps(&filter.kind, Some(event.kind.as_str()), |one, kind| one.as_str() == *kind)
        && keeps(&filter.outcome, Some(event.outcome), |one, outcome| one == outcome)
        && filter.failed.is_none_or(|failed| failed == event.kind.failed(event.outcome))
        && keeps(&filter.source, event.source, |one, source| (one.first..=one.last).contains(source))
        && keeps(&filter.page, event.page.clone(), |one, page| page.key(&rule) == rule.key(one))
        && keeps(&filter.session_id, event.session_id.clone(), |one, session| one == session)
        && keeps(&filter.target_type, target.kind, |one, kind| one == kind)
        && keeps(&filter.target_id, target.id, |one, id| one == id)
        && filter.from.is_none_or(|from| event.occurred_at >= from)
        && filter.until.is_none_or(|until| event.occurred_at < until)
}

pub(crate) fn lists_of_customers_omit_the_system_tenant(t: &TestStore) {
    let in_tenant = |number, tenant_id| Event { tenant_id, ..event(number) };
    let trail = in_tenant(2, TenantId::SYSTEM);
    let customers = [in_tenant(1, TenantId::NONE), in_tenant(3, tenant_id(1))];
    t.insert(&[customers[0].clone(), trail.clone(), customers[1].clone()]);
    let listed = |visibility, user: Option<UserId>| -> HashSet<EventId> {
        let filter = EventFilter { user_id: user.into(), ..EventFilter::within(visibility) };
        t.list(&filter).into_iter().map(|stored| stored.event.id).collect()
    };
    let both = customers.each_ref().map(|event| event.id).into();
    let (system, customer) = (visibility::of_tenant(TenantId::SYSTEM), visibility::of_tenant(tenant_id(1)));
    assert_eq!(listed(visibility::CUSTOMERS, None), both);
    assert_eq!(listed(visibility::CUSTOMERS, trail.user_id.clone()), both);
    assert_eq!(listed(system.narrow_to_customers(), None), HashSet::new());
    assert_eq!(listed(customer.narrow_to_customers(), None), [customers[1].id].into());
    assert_eq!(listed(customer, None), [customers[1].id].into());
    assert_eq!(listed(system, None), [trail.id].into());
}

pub(crate) fn a_network_matches_its_addresses(t: &TestStore) {
    let sources = ["192.0.2.0", "192.0.2.255", "192.0.3.0", "10.0.0.1", "2001:db8::1", "2001:db9::", "::1"];
    let events: Vec<Event> = sources
        .iter()
        .enumerate()
        .map(|(at, source)| Event { source: Some(source.parse().unwrap()), ..event(at as u128 + 1) })
        .chain([Event { source: None, ..event(100) }])
        .collect();
    t.insert(&events);
    for (network, inside) in [
        ("192.0.2.0/24", vec!["192.0.2.0", "192.0.2.255"]),
        ("192.0.2.255", vec!["192.0.2.255"]),
        ("0.0.0.0/0", vec!["192.0.2.0", "192.0.2.255", "192.0.3.0", "10.0.0.1"]),
        ("2001:db8::/32", vec!["2001:db8::1"]),
        ("::/0", vec!["2001:db8::1", "2001:db9::", "::1"]),
        ("203.0.113.0/24", vec![]),
    ] {
        let source = Values::only(AddressRange::parse("source", network).unwrap());
        let mut listed: Vec<IpAddr> =
            t.list(&EventFilter { source, ..all_events() }).iter().map(|stored| stored.event.source.unwrap()).collect();
        let mut inside: Vec<IpAddr> = inside.into_iter().map(|source| source.parse().unwrap()).collect();
        listed.sort_unstable();
        inside.sort_unstable();
        assert_eq!(listed, inside, "{network}");
    }
}

pub(crate) fn long_pages_that_differ_at_the_end_are_different(t: &TestStore) {
    let page = |end: &str| Page::parse("page", format!("/{}{end}", "ÿ\u{1F600}".repeat(1020))).unwrap();
    t.insert(&[
        Event { page: Some(page("a")), ..event(1) },
        Event { page: Some(page("b")), ..event(2) },
        Event { page: Some(Page::parse("page", "/").unwrap()), ..event(3) },
    ]);
    let filter = EventFilter { page: Values::only(page("b").into()), ..all_events() };
    let listed = t.list(&filter);
    assert_eq!(listed.len(), 1);
    assert_eq!(listed[0].event.id, EventId(uuid(2)));
}

pub(crate) fn pages_of_a_list_skip_and_repeat_no_event(t: &TestStore) {
    // Many events have one of three times, so that nearly every page ends between events of the same time.
    let times = ["2026-03-01T00:00:00Z", "2026-03-01T00:00:00.000001Z", "2026-03-02T00:00:00Z"].map(at);
    let old: Vec<Event> = (0..90_usize).map(|n| Event { occurred_at: times[n % 3], ..event(n as u128 + 1) }).collect();
    t.insert(&old);
    let mut seen = Vec::new();
    let mut after: Option<EventPosition> = None;
    let mut number = 1_000;
    loop {
        let page = t.store.reading(|tx| tx.events(&all_events(), after, 7)).unwrap();
        let Some(last) = page.last() else { break };
        after = Some(last.position());
        seen.extend(page.into_iter().map(|stored| stored.event.id));
        // New events arrive between the pages. They are newer than the page, so no later page has them.
        number += 1;
        t.insert(&[Event { occurred_at: times[2], ..event(number) }]);
    }
    let mut expected: Vec<EventId> = old.iter().map(|event| event.id).collect();
    let mut sorted = seen.clone();
    sorted.sort_unstable();
    expected.sort_unstable();
    assert_eq!(sorted, expected);
}

pub(crate) fn several_types_are_one_list(t: &TestStore) {
    let kinds = ["login_success", "logout", "page_load", "userinfo"].map(EventKind::known);
    let events: Vec<Event> = (0..200_usize)
        .map(|n| Event {
            kind: kinds[n % 4].clone(),
            occurred_at: at("2026-03-01T00:00:00Z") + chrono::Duration::seconds(i64::try_from(n / 5).unwrap()),
            ..event(n as u128 + 1)
        })
        .collect();
    t.insert(&events);
    // A repeated type counts once.
    let wanted = [&kinds[0], &kinds[2], &kinds[0]];
    let filter = EventFilter { kind: Values::any_of(wanted.map(Clone::clone)), ..all_events() };
    let all = t.list(&filter);
    assert_eq!(all.len(), 100);
    let mut walked = Vec::new();
    let mut after = None;
    loop {
        let page = t.store.reading(|tx| tx.events(&filter, after, 9)).unwrap();
        let Some(last) = page.last() else { break };
        after = Some(last.position());
        walked.extend(page);
    }
    assert_eq!(walked, all);
    let offset = t.store.reading(|tx| tx.events_at_offset(&filter, 40, 20)).unwrap();
    assert_eq!(offset, all[40..60]);
}

pub(crate) fn offsets_skip_from_the_newest(t: &TestStore) {
    t.insert(&(1..=10).map(event).collect::<Vec<_>>());
    let page = |offset, limit| {
        let listed = t.store.reading(|tx| tx.events_at_offset(&all_events(), offset, limit)).unwrap();
        listed.iter().map(|stored| stored.event.id).collect::<Vec<_>>()
    };
    assert_eq!(page(0, 2), [EventId(uuid(10)), EventId(uuid(9))]);
    assert_eq!(page(8, 50), [EventId(uuid(2)), EventId(uuid(1))]);
    assert_eq!(page(10, 5), []);
    assert_eq!(page(u64::MAX, 5), []);
}

pub(crate) fn events_are_found_by_id(t: &TestStore) {
    t.insert(&(1..=4).map(|n| Event { tenant_id: tenant_id(n), ..event(1) }).collect::<Vec<_>>());
    let find = |number, tenant| t.store.reading(|tx| tx.events_by_id(EventId(uuid(number)), tenant)).unwrap();
    assert_eq!(find(1, None).len(), 3, "without the system tenant, two events still show that the id is ambiguous");
    assert_eq!(find(1, Some(tenant_id(3)))[0].event.tenant_id, tenant_id(3));
    assert!(find(1, Some(tenant_id(5))).is_empty());
    assert!(find(2, None).is_empty());
}

pub(crate) fn large_batches_are_stored(t: &TestStore) {
    let events: Vec<Event> = (1..=6_000).map(event).collect();
    assert!(t.insert(&events).into_iter().all(|new| new));
    assert!(t.insert(&events).into_iter().all(|new| !new));
}

pub(crate) fn a_large_batch_is_stored_as_a_small_one_is(t: &TestStore) {
    let (mut sent, mut expected) = (Vec::new(), Vec::new());
    // The ids descend, and every third is sent twice: the first event counts.
    for number in (1..=600).rev() {
        let event = match number % 2 {
            0 => Event { id: EventId(uuid(number)), ..full() },
            _ => Event { user_id: None, ..event(number) },
        };
        if number % 3 == 0 {
            sent.push(event.clone());
            expected.push(true);
        }
        sent.push(Event { user_name: Some(format!("name {number}")), ..event });
        expected.push(number % 3 != 0);
    }
    assert_eq!(t.insert(&sent), expected);
    let mut first: Vec<&Event> = sent.iter().zip(&expected).filter(|(_, new)| **new).map(|(event, _)| event).collect();
    // Newest first, and events of the same time in the order of storage.
    first.reverse();
    first.sort_by_key(|event| std::cmp::Reverse(event.occurred_at));
    let listed: Vec<Event> = t.list(&all_events()).into_iter().map(|stored| stored.event).collect();
    assert!(listed.iter().eq(first), "{} events", listed.len());
    sent.insert(400, event(601));
    let again: Vec<bool> = (0..sent.len()).map(|at| at == 400).collect();
    assert_eq!(t.insert(&sent), again);
}
