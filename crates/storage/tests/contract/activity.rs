//! Behaviour, the ledger of creations and source addresses, compared with a brute-force recount of a random history.

use std::cmp::Reverse;
use std::collections::{BTreeMap, HashSet};
use std::net::{IpAddr, Ipv4Addr};

use chrono::Duration;
use trailkeeper_domain::activity::{ActiveUsers, ActiveUsersQuery, Behavior, Period};
use trailkeeper_domain::creation::{Creation, CreationKind, DailyCount};
use trailkeeper_domain::event::{Event, EventKind};
use trailkeeper_domain::fact::OTHER_PAGE;
use trailkeeper_domain::id::{CreationId, EnvId, TenantId, UserId};
use trailkeeper_domain::page::Page;
use trailkeeper_domain::ports::{SourceActivity, SourceCounts, SourceQuery, SourceTotals};
use trailkeeper_domain::scope::Scope;
use trailkeeper_domain::time::{TimeRange, Timestamp};
use trailkeeper_domain::user::PoolId;
use trailkeeper_storage::StoreOptions;
use trailkeeper_testkit::{TestEntropy, at, day, event, tenant_id, user_id, uuid};

use crate::{TestStore, random};

trailkeeper_testkit::on_both!(crate::TestStore::new =>
    behaviors_are_recounted,
    behaviors_show_pages_beyond_the_limit_as_they_were_sent,
    creations_are_recounted,
    a_long_list_of_creations_skips_and_repeats_none,
    registrations_are_recounted,
    reported_numbers_are_stored,
    sources_are_recounted,
    sources_with_as_many_events_are_ordered_by_address,
);

pub(crate) const QUESTIONS: u32 = 60;

fn history(t: &TestStore, seed: u64) -> (TestEntropy, Vec<Event>) {
    let random = TestEntropy::new(seed);
    let events = random::events(&random, 600);
    t.insert(&events);
    (random, events)
}

pub(crate) fn within(range: TimeRange, at: Timestamp) -> bool {
    range.start <= at && at < range.end
}

pub(crate) fn counts(event: &Event) -> bool {
    event.tenant_id != TenantId::SYSTEM
}

fn some_tenants(random: &TestEntropy) -> Option<Vec<TenantId>> {
    (random.below(3) > 0).then(|| (0..random.below(4)).map(|_| random::tenant(random)).collect())
}

fn daily_counts(days: BTreeMap<(chrono::NaiveDate, TenantId), u64>) -> Vec<DailyCount> {
    days.into_iter().map(|((day, tenant_id), count)| DailyCount { day, tenant_id, count }).collect()
}

pub(crate) fn behaviors_are_recounted(t: &TestStore) {
    let (random, events) = history(t, 4);
    let mut found = 0;
    for _ in 0..QUESTIONS {
        let (range, user) = (random::range(&random), random::user(&random));
        let tenant = (random.below(3) == 0).then(|| random::tenant(&random));
        let mut expected: Vec<Behavior> = events
            .iter()
            .filter(|event| counts(event) && within(range, event.occurred_at) && event.user_id.as_ref() == Some(&user))
            .filter(|event| matches!(event.kind.as_str(), "page_load" | "userinfo"))
            .filter(|event| tenant.is_none_or(|tenant| tenant == event.tenant_id))
            .filter_map(|event| {
                event.page.as_ref().map(|page| Behavior { at: event.occurred_at, page: page.as_str().to_owned() })
            })
            .collect();
        expected.sort_by_key(|behavior| behavior.at);
        assert_eq!(t.store.reading(|tx| tx.behaviors(&user, range, tenant)).unwrap(), expected, "{user} {range:?}");
        found += expected.len();
    }
    assert!(found > 100, "too little was found: {found}");
}

pub(crate) fn behaviors_show_pages_beyond_the_limit_as_they_were_sent(t: &TestStore) {
    let sent = ["/first", "/first?again", "/second#x", "/third"];
    let events: Vec<Event> = sent
        .iter()
        .zip(1..)
        .map(|(page, number)| Event {
            kind: EventKind::known("page_load"),
            page: Some(Page::parse("page", *page).unwrap()),
            ..event(number)
        })
        .collect();
    let store = t.another(&StoreOptions { new_pages_per_day: 1, ..StoreOptions::default() });
    assert_eq!(store.writing(|tx| tx.insert_events(&events)).unwrap(), [true; 4]);
    let range = TimeRange::of_days(day("2026-11-22"), day("2026-11-22"));
    let counted: Vec<bool> =
        t.facts(Scope::Everyone, range).iter().map(|fact| fact.page.unwrap() != OTHER_PAGE).collect();
    assert_eq!(counted, [true, true, false, false]);
    let behaviors = t.store.reading(|tx| tx.behaviors(&user_id("ann"), range, None)).unwrap();
    assert_eq!(behaviors.iter().map(|behavior| behavior.page.as_str()).collect::<Vec<_>>(), sent);
}

/// Random entries of the ledger: users of two pools or none, members of three tenants, some of them twice.
fn ledger(t: &TestStore, random: &TestEntropy) -> Vec<Creation> {
    let entries: Vec<Creation> = (1..=200)
        .map(|number| {
            let kind = random.pick(&CreationKind::ALL);
            let pool = random.pick(&[None, Some("eu_1"), Some("us_2")]);
            let is_user = kind == CreationKind::SaasUser;
            Creation {
                id: CreationId(uuid(number)),
                kind,
                tenant_id: match kind {
                    CreationKind::SaasUser => TenantId::NONE,
                    CreationKind::Tenant => random::tenant(random),
                    CreationKind::TenantUser => random.pick(&[tenant_id(1), tenant_id(2), TenantId::SYSTEM]),
                },
                user_id: (kind != CreationKind::Tenant).then(|| user_id(&format!("u{}", random.below(40)))),
                region: is_user.then(|| pool.map(|pool| pool[..2].to_owned())).flatten(),
                user_pool_id: is_user.then(|| pool.map(|pool| PoolId::parse("user_pool_id", pool).unwrap())).flatten(),
                created_at: random::time(random),
            }
        })
        .collect();
    t.store.writing(|tx| entries.iter().try_for_each(|entry| tx.put_creation(entry))).unwrap();
    entries
}

/// The tenants that a user ever became a member of.
fn tenants_of<'a>(entries: &'a [Creation], user: Option<&UserId>) -> HashSet<&'a TenantId> {
    entries
        .iter()
        .filter(|entry| entry.kind == CreationKind::TenantUser && entry.user_id.as_ref() == user)
        .map(|entry| &entry.tenant_id)
        .collect()
}

/// Whether an entry belongs to `tenants`: a second implementation of the rule.
fn is_of(entries: &[Creation], entry: &Creation, tenants: Option<&[TenantId]>) -> bool {
    match (tenants, entry.kind) {
        (None, _) => true,
        (Some(tenants), CreationKind::Tenant | CreationKind::TenantUser) => tenants.contains(&entry.tenant_id),
        (Some(tenants), CreationKind::SaasUser) => {
            let of = tenants_of(entries, entry.user_id.as_ref());
            tenants.iter().any(|tenant| of.contains(tenant)) || (of.is_empty() && tenants.contains(&TenantId::NONE))
        }
    }
}

impl TestStore {
    fn creations(&self, kind: CreationKind, range: TimeRange, tenants: Option<&[TenantId]>) -> Vec<Creation> {
        self.store
            .reading(|tx| {
                let mut found = Vec::new();
                tx.creations(kind, range, tenants, &mut |creation| {
                    found.push(creation.clone());
                    Ok(())
                })?;
                Ok(found)
            })
            .unwrap()
    }
}

pub(crate) fn creations_are_recounted(t: &TestStore) {
    let random = TestEntropy::new(5);
    let entries = ledger(t, &random);
    let (mut rows, mut listed) = (0, 0);
    for _ in 0..QUESTIONS * 2 {
        let (range, kind) = (random::range(&random), random.pick(&CreationKind::ALL));
        let among = |tenants: Option<&[TenantId]>| -> Vec<&Creation> {
            entries
                .iter()
                .filter(|entry| entry.kind == kind && entry.tenant_id != TenantId::SYSTEM)
                .filter(|entry| within(range, entry.created_at) && is_of(&entries, entry, tenants))
                .collect()
        };
        let tenants = some_tenants(&random);
        let mut days: BTreeMap<_, u64> = BTreeMap::new();
        for entry in among(tenants.as_deref()) {
            *days.entry((entry.created_at.date_naive(), entry.tenant_id)).or_default() += 1;
        }
        let expected = daily_counts(days);
        let answer = t.store.reading(|tx| tx.creations_per_day(kind, range, tenants.as_deref())).unwrap();
        assert_eq!(answer, expected, "{kind:?} {range:?} {tenants:?}");
        rows += expected.len();
        let mut expected = among(tenants.as_deref());
        expected.sort_by_key(|entry| (entry.created_at, entry.id));
        let answer = t.creations(kind, range, tenants.as_deref());
        assert_eq!(answer.iter().collect::<Vec<_>>(), expected, "{kind:?} {range:?} {tenants:?}");
        listed += answer.len();
    }
    assert!(rows > 300, "too little was counted: {rows}");
    assert!(listed > 500, "too little was listed: {listed}");
}

pub(crate) fn a_long_list_of_creations_skips_and_repeats_none(t: &TestStore) {
    // More than one chunk, many at one instant, and ids that two tenants share.
    let noon = at("2026-02-01T12:00:00Z");
    let entries: Vec<Creation> = (0..11_000_u32)
        .map(|number| Creation {
            id: CreationId(uuid(u128::from(number / 2))),
            kind: CreationKind::Tenant,
            tenant_id: tenant_id(u128::from(number % 2)),
            user_id: None,
            region: None,
            user_pool_id: None,
            created_at: noon + Duration::microseconds(i64::from(number / 2 % 3)),
        })
        .collect();
    t.store.writing(|tx| entries.iter().try_for_each(|entry| tx.put_creation(entry))).unwrap();
    let mut expected = entries;
    expected.sort_by_key(|entry| (entry.created_at, entry.id, entry.tenant_id));
    let range = TimeRange::of_days(day("2026-02-01"), day("2026-02-01"));
    assert!(t.creations(CreationKind::Tenant, range, None) == expected);
    expected.retain(|entry| entry.tenant_id == tenant_id(1));
    assert!(t.creations(CreationKind::Tenant, range, Some(&[tenant_id(1)])) == expected);
    assert_eq!(t.creations(CreationKind::TenantUser, range, None), []);
}

pub(crate) fn registrations_are_recounted(t: &TestStore) {
    let random = TestEntropy::new(6);
    let entries = ledger(t, &random);
    let mut users = 0;
    for _ in 0..QUESTIONS {
        let range = random::range(&random);
        let (region, pool) = random.pick(&[("eu", "eu_1"), ("us", "us_2"), ("eu", "us_2"), ("xx", "xx_1")]);
        let tenant = (random.below(2) == 0).then(|| random.pick(&[tenant_id(1), tenant_id(2), tenant_id(9)]));
        let expected: HashSet<&UserId> = entries
            .iter()
            .filter(|entry| entry.kind == CreationKind::SaasUser && within(range, entry.created_at))
            .filter(|entry| entry.region.as_deref() == Some(region))
            .filter(|entry| entry.user_pool_id.as_ref().is_some_and(|of| of.as_str() == pool))
            .filter(|entry| tenant.is_none_or(|tenant| tenants_of(&entries, entry.user_id.as_ref()).contains(&tenant)))
            .filter_map(|entry| entry.user_id.as_ref())
            .collect();
        let answer = t.store.reading(|tx| tx.registered_users(range, region, pool, tenant)).unwrap();
        assert_eq!(answer, expected.len() as u64, "{range:?} {pool} {tenant:?}");
        users += answer;
    }
    assert!(users > 50, "too little was counted: {users}");
}

pub(crate) fn reported_numbers_are_stored(t: &TestStore) {
    let report = |start: &str, tenant: u128, env: u32, users: u64| ActiveUsers {
        start: day(start),
        tenant_id: tenant_id(tenant),
        env_id: EnvId(env),
        users,
    };
    let monthly = report("2026-01-01", 1, 1, 7);
    let daily = [
        report("2026-01-01", 1, 1, 1),
        report("2026-01-01", 1, u32::MAX, i64::MAX as u64),
        report("2026-01-01", 2, 0, 0),
        report("2026-01-02", 1, 1, 4),
    ];
    t.store
        .writing(|tx| {
            tx.put_reported_active_users(Period::Monthly, &monthly)?;
            tx.put_reported_active_users(Period::Daily, &ActiveUsers { users: 99, ..daily[3] })?;
            daily.iter().rev().try_for_each(|one| tx.put_reported_active_users(Period::Daily, one))
        })
        .unwrap();
    let ask = |period, last: &str, tenant_id, env_id| {
        let query = ActiveUsersQuery { period, first: day("2026-01-01"), last: day(last), tenant_id, env_id };
        t.store.reading(|tx| tx.reported_active_users(&query)).unwrap()
    };
    assert_eq!(ask(Period::Daily, "2026-12-31", None, None), daily);
    assert_eq!(ask(Period::Daily, "2026-01-01", None, None), daily[..3]);
    assert_eq!(ask(Period::Daily, "2026-12-31", Some(tenant_id(2)), None), daily[2..3]);
    assert_eq!(ask(Period::Daily, "2026-12-31", Some(tenant_id(1)), Some(EnvId(1))), [daily[0], daily[3]]);
    assert_eq!(ask(Period::Monthly, "2026-01-01", None, None), [monthly]);
    let too_many = ActiveUsers { users: u64::MAX, ..monthly };
    assert!(t.store.writing(|tx| tx.put_reported_active_users(Period::Daily, &too_many)).is_err());
}

/// The counts of the events of a range with this source, or with any source.
fn source_counts(events: &[&Event], range: TimeRange, source: Option<IpAddr>) -> SourceCounts {
    let of_source = |event: &&&Event| {
        within(range, event.occurred_at) && event.source.is_some() && (source.is_none() || event.source == source)
    };
    let events: Vec<_> = events.iter().filter(of_source).collect();
    let of_kind = |kind: &str| events.iter().filter(|event| event.kind.as_str() == kind).count() as u64;
    let times = || events.iter().map(|event| event.occurred_at);
    SourceCounts {
        events: events.len() as u64,
        users: events.iter().filter_map(|event| event.user_id.as_ref()).collect::<HashSet<_>>().len() as u64,
        logins: of_kind("login_success"),
        failed_logins: of_kind("login_fail"),
        seen: times().min().zip(times().max()),
    }
}

pub(crate) fn sources_are_recounted(t: &TestStore) {
    let (random, events) = history(t, 9);
    let mut found = 0;
    for _ in 0..QUESTIONS {
        let range = random::range(&random);
        let query = SourceQuery {
            tenant_id: (random.below(3) > 0).then(|| random::tenant(&random)),
            env_id: (random.below(3) == 0).then_some(EnvId(1)),
            range,
            previous_start: (random.below(2) == 0).then(|| range.start - (range.end - range.start)),
        };
        let previous = TimeRange { start: query.previous_start.unwrap_or(range.start), end: range.start };
        let wanted = |event: &&Event| {
            counts(event)
                && query.tenant_id.is_none_or(|tenant| event.tenant_id == tenant)
                && query.env_id.is_none_or(|env| event.env_id == env)
        };
        let events: Vec<&Event> = events.iter().filter(wanted).collect();
        let sources_of = |range| -> HashSet<IpAddr> {
            events.iter().filter(|event| within(range, event.occurred_at)).filter_map(|event| event.source).collect()
        };
        let mut expected: Vec<SourceActivity> = sources_of(range)
            .into_iter()
            .map(|source| SourceActivity {
                source: Some(source),
                current: source_counts(&events, range, Some(source)),
                previous: source_counts(&events, previous, Some(source)),
            })
            .collect();
        expected.sort_by_key(|row| (Reverse(row.current.events), row.source));
        let totals = |range| SourceTotals {
            sources: sources_of(range).len() as u64,
            counts: source_counts(&events, range, None),
        };
        let answer = t.store.reading(|tx| Ok((tx.source_activity(&query, 10)?, tx.source_totals(&query)?))).unwrap();
        assert_eq!(answer, (expected.clone(), (totals(range), totals(previous))), "{query:?}");
        let first = t.store.reading(|tx| tx.source_activity(&query, 1)).unwrap();
        assert_eq!(first, expected[..expected.len().min(1)], "{query:?}");
        found += expected.len();
    }
    assert!(found > 100, "too few sources were found: {found}");
    let of_nobody = SourceQuery {
        tenant_id: Some(tenant_id(99)),
        env_id: None,
        range: TimeRange { start: at("1970-01-01T00:00:00Z"), end: at("9999-12-31T23:59:59Z") },
        previous_start: None,
    };
    for tenant_id in [tenant_id(99), TenantId::SYSTEM] {
        let query = SourceQuery { tenant_id: Some(tenant_id), ..of_nobody };
        let answer = t.store.reading(|tx| Ok((tx.source_activity(&query, 10)?, tx.source_totals(&query)?))).unwrap();
        assert_eq!(answer, (Vec::new(), Default::default()), "{tenant_id}");
    }
}

pub(crate) fn sources_with_as_many_events_are_ordered_by_address(t: &TestStore) {
    // As text, 10.0.0.0 and most others would sort before 9.9.9.9.
    let mut sources: Vec<IpAddr> = (0..200_u8).map(|n| IpAddr::V4(Ipv4Addr::new(n, 0, n % 7, 255 - n))).collect();
    sources.extend(["::1", "2001:db8::a", "fe80::9", "9.9.9.9"].map(|source| source.parse::<IpAddr>().unwrap()));
    let events: Vec<Event> =
        sources.iter().zip(1..).map(|(source, number)| Event { source: Some(*source), ..event(number) }).collect();
    t.insert(&events);
    let query = SourceQuery {
        tenant_id: None,
        env_id: None,
        range: TimeRange { start: at("1970-01-01T00:00:00Z"), end: at("9999-12-31T23:59:59Z") },
        previous_start: None,
    };
    sources.sort_unstable();
    for limit in [3, 150, 1_000] {
        let rows = t.store.reading(|tx| tx.source_activity(&query, limit)).unwrap();
        let listed: Vec<IpAddr> = rows.iter().filter_map(|row| row.source).collect();
        assert_eq!(listed, sources[..limit.min(sources.len())]);
    }
}
