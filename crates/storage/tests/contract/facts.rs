//! Facts, compared with the events of a random history.

use std::collections::{HashMap, HashSet};

use chrono::Duration;
use trailkeeper_domain::event::{Event, Outcome};
use trailkeeper_domain::fact::EventFact;
use trailkeeper_domain::id::{EnvId, TenantId, UserId};
use trailkeeper_domain::page::PageRule;
use trailkeeper_domain::scope::Scope;
use trailkeeper_domain::time::{TimeRange, Timestamp};
use trailkeeper_testkit::{TestEntropy, at, day, event, tenant_id, user_id};

use crate::activity::{QUESTIONS, counts, within};
use crate::{TestStore, random};

trailkeeper_testkit::on_both!(crate::TestStore::new =>
    facts_equal_the_stored_events,
    facts_of_a_user_equal_the_stored_events,
    facts_of_one_instant_are_read_once_each,
    the_span_is_that_of_the_events_of_customers,
);

fn all_time() -> TimeRange {
    TimeRange { start: at("1970-01-01T00:00:00Z"), end: at("9999-12-31T23:59:59Z") }
}

/// A fact with the names of its event. The user stays a number.
#[derive(Debug, Clone, PartialEq, Eq)]
struct NamedFact {
    occurred_at: Timestamp,
    env: EnvId,
    page: Option<String>,
    kind: String,
    outcome: Outcome,
    user: Option<u32>,
    source: Option<String>,
}

impl TestStore {
    pub(crate) fn facts(&self, scope: Scope, range: TimeRange) -> Vec<EventFact> {
        self.store
            .reading(|tx| {
                let mut facts = Vec::new();
                tx.facts(scope, range, &mut |fact| {
                    facts.push(*fact);
                    Ok(())
                })?;
                Ok(facts)
            })
            .unwrap()
    }

    fn facts_of_user(&self, user: &UserId, tenant: Option<TenantId>, range: TimeRange) -> Vec<EventFact> {
        self.store
            .reading(|tx| {
                let mut facts = Vec::new();
                tx.facts_of_user(user, tenant, range, &mut |fact| {
                    facts.push(*fact);
                    Ok(())
                })?;
                Ok(facts)
            })
            .unwrap()
    }

    fn named(&self, facts: &[EventFact]) -> Vec<NamedFact> {
        let ids = |of: fn(&EventFact) -> Option<u32>| facts.iter().filter_map(of).collect::<Vec<u32>>();
        let (pages, kinds, sources) = self
            .store
            .reading(|tx| {
                Ok((
                    tx.page_keys(&ids(|fact| fact.page))?,
                    tx.kind_names(&ids(|fact| Some(fact.kind)))?,
                    tx.source_names(&ids(|fact| fact.source))?,
                ))
            })
            .unwrap();
        let named = |fact: &EventFact| NamedFact {
            occurred_at: fact.occurred_at,
            env: fact.env,
            page: fact.page.map(|id| pages[&id].clone()),
            kind: kinds[&fact.kind].clone(),
            outcome: fact.outcome,
            user: fact.user,
            source: fact.source.map(|ordinal| sources[&ordinal].clone()),
        };
        facts.iter().map(named).collect()
    }
}

/// The expected facts of the matching events, in their expected order.
fn expected_facts(
    events: &[Event],
    users: &HashMap<&UserId, u32>,
    range: TimeRange,
    asked: impl Fn(&Event) -> bool,
) -> Vec<NamedFact> {
    let mut expected: Vec<NamedFact> = events
        .iter()
        .filter(|event| counts(event) && within(range, event.occurred_at) && asked(event))
        .map(|event| NamedFact {
            occurred_at: event.occurred_at,
            env: event.env_id,
            page: event.page.as_ref().map(|page| page.key(&PageRule::default())),
            kind: event.kind.as_str().to_owned(),
            outcome: event.outcome,
            user: event.user_id.as_ref().map(|user| users[user]),
            source: event.source.map(|source| source.to_string()),
        })
        .collect();
    // The sort is stable: events of the same time stay in the order of storage.
    expected.sort_by_key(|fact| fact.occurred_at);
    expected
}

/// Stores a history in batches, with late and repeated events, and returns the stored events.
fn stored_in_batches(t: &TestStore, seed: u64) -> (TestEntropy, Vec<Event>) {
    let random = TestEntropy::new(seed);
    let events = random::events(&random, 600);
    for batch in events.chunks(40) {
        assert!(t.insert(batch).into_iter().all(|new| new));
        let again: Vec<Event> = batch
            .iter()
            .filter(|_| random.below(3) == 0)
            .map(|event| Event { occurred_at: random::time(&random), page: None, ..event.clone() })
            .collect();
        assert!(t.insert(&again).into_iter().all(|new| !new));
    }
    (random, events)
}

/// The number of each user, from their first fact.
fn ordinals<'a>(t: &TestStore, events: &'a [Event]) -> HashMap<&'a UserId, u32> {
    let all = all_time();
    let mut ordinals = HashMap::new();
    for user in events.iter().filter(|event| counts(event)).filter_map(|event| event.user_id.as_ref()) {
        ordinals.entry(user).or_insert_with(|| t.facts_of_user(user, None, all)[0].user.unwrap());
    }
    assert_eq!(ordinals.values().collect::<HashSet<_>>().len(), ordinals.len(), "two users have the same number");
    ordinals
}

pub(crate) fn facts_equal_the_stored_events(t: &TestStore) {
    let (random, events) = stored_in_batches(t, 1);
    let users = ordinals(t, &events);
    let mut found = 0;
    for _ in 0..QUESTIONS {
        let range = random::range(&random);
        let scope = Scope::of((random.below(4) > 0).then(|| random::tenant(&random)));
        let expected = expected_facts(&events, &users, range, |event| {
            scope == Scope::Everyone || scope == Scope::Tenant(event.tenant_id)
        });
        assert_eq!(t.named(&t.facts(scope, range)), expected, "{scope:?} {range:?}");
        found += expected.len();
    }
    assert!(found > 2_000, "too little was found: {found}");
    let all = all_time();
    assert_eq!(t.facts(Scope::Tenant(TenantId::SYSTEM), all), [], "operators are not customers");
    assert_eq!(t.facts(Scope::Tenant(tenant_id(99)), all), []);
}

pub(crate) fn facts_of_a_user_equal_the_stored_events(t: &TestStore) {
    let (random, events) = stored_in_batches(t, 2);
    let users = ordinals(t, &events);
    let mut found = 0;
    for _ in 0..QUESTIONS {
        let (range, user) = (random::range(&random), random::user(&random));
        let tenant = (random.below(2) == 0).then(|| random::tenant(&random));
        let of_user = |event: &Event| {
            event.user_id.as_ref() == Some(&user) && tenant.is_none_or(|tenant| tenant == event.tenant_id)
        };
        let expected = expected_facts(&events, &users, range, of_user);
        assert_eq!(t.named(&t.facts_of_user(&user, tenant, range)), expected, "{user} {tenant:?} {range:?}");
        found += expected.len();
        let times = || events.iter().filter(|event| counts(event) && of_user(event)).map(|event| event.occurred_at);
        let span = t.store.reading(|tx| tx.span_of_user(&user, tenant)).unwrap();
        assert_eq!(span, times().min().zip(times().max()), "{user} {tenant:?}");
    }
    assert!(found > 300, "too little was found: {found}");
    let range = random::range(&random);
    assert_eq!(t.facts_of_user(&user_id("nobody"), None, range), []);
    assert_eq!(t.store.reading(|tx| tx.span_of_user(&user_id("nobody"), None)).unwrap(), None);
}

pub(crate) fn facts_of_one_instant_are_read_once_each(t: &TestStore) {
    // More than one chunk at one instant, and more than one chunk around it.
    let noon = at("2026-02-01T12:00:00Z");
    let events: Vec<Event> = (0..27_000_u32)
        .map(|number| Event {
            occurred_at: noon + Duration::microseconds(i64::from(number / 2_000).clamp(2, 9)),
            env_id: EnvId(number),
            tenant_id: tenant_id(u128::from(number % 2)),
            ..event(u128::from(number))
        })
        .collect();
    for batch in events.chunks(9_000) {
        t.insert(batch);
    }
    let day = TimeRange::of_days(day("2026-02-01"), day("2026-02-01"));
    let envs = |scope, range| t.facts(scope, range).iter().map(|fact| fact.env.0).collect::<Vec<_>>();
    assert!(envs(Scope::Everyone, day).into_iter().eq(0..27_000));
    assert!(envs(Scope::Tenant(tenant_id(1)), day).into_iter().eq((1..27_000).step_by(2)));
    let before = TimeRange { start: noon, end: noon + Duration::microseconds(2) };
    assert!(envs(Scope::Everyone, before).is_empty(), "a range is half-open");
    let last = TimeRange { start: noon + Duration::microseconds(9), end: noon + Duration::microseconds(10) };
    assert!(envs(Scope::Everyone, last).into_iter().eq(18_000..27_000));
    let nothing = TimeRange { start: last.start, end: last.start };
    assert!(envs(Scope::Everyone, nothing).is_empty());
}

pub(crate) fn the_span_is_that_of_the_events_of_customers(t: &TestStore) {
    let span = || t.store.reading(|tx| tx.span()).unwrap();
    let event_at = |number, time: &str, tenant| Event { occurred_at: at(time), tenant_id: tenant, ..event(number) };
    assert_eq!(span(), None);
    t.insert(&[
        event_at(1, "2020-01-01T00:00:00Z", TenantId::SYSTEM),
        event_at(2, "2030-01-01T00:00:00Z", TenantId::SYSTEM),
    ]);
    assert_eq!(span(), None);
    t.insert(&[event_at(3, "2026-01-01T00:00:00Z", tenant_id(1))]);
    assert_eq!(span(), Some((at("2026-01-01T00:00:00Z"), at("2026-01-01T00:00:00Z"))));
    t.insert(&[
        event_at(4, "2026-07-01T00:00:00.000001Z", TenantId::NONE),
        event_at(5, "2025-12-31T23:59:59.999999Z", tenant_id(2)),
    ]);
    assert_eq!(span(), Some((at("2025-12-31T23:59:59.999999Z"), at("2026-07-01T00:00:00.000001Z"))));
}
