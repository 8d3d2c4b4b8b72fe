//! Analytic answers against a recount by brute force over the same random history.

use std::collections::{BTreeMap, BTreeSet, HashSet};

use trailkeeper_domain::activity::{ActiveUsers, ActiveUsersQuery, Behavior, PageStatistics, PageViews, Period};
use trailkeeper_domain::creation::{Creation, CreationKind, DailyCount};
use trailkeeper_domain::event::{Event, Outcome};
use trailkeeper_domain::id::{CreationId, EnvId, TenantId, UserId};
use trailkeeper_domain::time::{TimeRange, Timestamp};
use trailkeeper_domain::user::PoolId;
use trailkeeper_testkit::{TestEntropy, day, tenant_id, user_id, uuid};

use crate::{TestStore, random};

on_both!(
    active_users_are_recounted,
    page_statistics_are_recounted,
    userinfo_calls_are_recounted,
    behaviors_are_recounted,
    creations_are_recounted,
    registrations_are_recounted,
    reported_numbers_are_kept,
);

const QUESTIONS: u32 = 60;

fn history(t: &TestStore, seed: u64) -> (TestEntropy, Vec<Event>) {
    let random = TestEntropy::new(seed);
    let events = random::events(&random, 600);
    t.insert(&events);
    (random, events)
}

fn within(range: TimeRange, at: Timestamp) -> bool {
    range.start <= at && at < range.end
}

fn counts(event: &Event) -> bool {
    event.tenant_id != TenantId::SYSTEM
}

fn some_tenants(random: &TestEntropy) -> Option<Vec<TenantId>> {
    (random.below(3) > 0).then(|| (0..random.below(4)).map(|_| random::tenant(random)).collect())
}

fn active_users_are_recounted(t: &TestStore) {
    let (random, events) = history(t, 1);
    let mut rows = 0;
    for _ in 0..QUESTIONS {
        let period = random.pick(&[Period::Daily, Period::Monthly]);
        let range = random::range(&random);
        let query = ActiveUsersQuery {
            period,
            first: period.start_of(range.start.date_naive()),
            last: period.start_of(range.end.date_naive()),
            tenant_id: (random.below(2) == 0).then(|| random::tenant(&random)),
            env_id: (random.below(3) == 0).then(|| EnvId(u32::try_from(random.below(3)).unwrap())),
        };
        let mut users: BTreeMap<_, BTreeSet<&UserId>> = BTreeMap::new();
        for event in events.iter().filter(|event| counts(event) && event.outcome != Outcome::Failure) {
            let asked = within(query.range(), event.occurred_at)
                && query.tenant_id.is_none_or(|tenant| tenant == event.tenant_id)
                && query.env_id.is_none_or(|env| env == event.env_id);
            if let (true, Some(user)) = (asked, &event.user_id) {
                let start = period.start_of(event.occurred_at.date_naive());
                users.entry((start, event.tenant_id, event.env_id)).or_default().insert(user);
            }
        }
        let expected: Vec<ActiveUsers> = users
            .into_iter()
            .map(|((start, tenant_id, env_id), users)| ActiveUsers {
                start,
                tenant_id,
                env_id,
                users: users.len() as u64,
            })
            .collect();
        assert_eq!(t.store.reading(|tx| tx.active_users(&query)).unwrap(), expected, "{query:?}");
        rows += expected.len();
    }
    assert!(rows > 500, "next to nothing was counted: {rows}");
}

fn page_statistics_are_recounted(t: &TestStore) {
    let (random, events) = history(t, 2);
    let mut views = 0;
    for _ in 0..QUESTIONS {
        let range = random::range(&random);
        let tenant = (random.below(2) == 0).then(|| random::tenant(&random));
        let mut pages: BTreeMap<&str, (u64, HashSet<&UserId>)> = BTreeMap::new();
        let mut everyone = HashSet::new();
        for event in events.iter().filter(|event| counts(event) && within(range, event.occurred_at)) {
            let (true, Some(page)) = (tenant.is_none_or(|tenant| tenant == event.tenant_id), &event.page) else {
                continue;
            };
            let (views, users) = pages.entry(&page.key).or_default();
            *views += 1;
            users.extend(&event.user_id);
            everyone.extend(&event.user_id);
        }
        let mut expected = PageStatistics {
            total_views: pages.values().map(|(views, _)| views).sum(),
            total_users: everyone.len() as u64,
            pages: pages
                .into_iter()
                .map(|(page, (views, users))| PageViews { page: page.to_owned(), views, users: users.len() as u64 })
                .collect(),
        };
        expected.pages.sort_by(|a, b| b.views.cmp(&a.views).then_with(|| a.page.cmp(&b.page)));
        assert_eq!(t.store.reading(|tx| tx.page_statistics(range, tenant)).unwrap(), expected, "{range:?} {tenant:?}");
        views += expected.total_views;
    }
    assert!(views > 1_000, "next to nothing was counted: {views}");
}

fn userinfo_calls_are_recounted(t: &TestStore) {
    let (random, events) = history(t, 3);
    let mut calls = 0;
    for _ in 0..QUESTIONS {
        let range = random::range(&random);
        let tenants = some_tenants(&random);
        let mut days: BTreeMap<_, u64> = BTreeMap::new();
        for event in events.iter().filter(|event| counts(event) && event.kind.as_str() == "userinfo") {
            let asked = tenants.as_ref().is_none_or(|tenants| tenants.contains(&event.tenant_id));
            if asked && within(range, event.occurred_at) {
                *days.entry((event.occurred_at.date_naive(), event.tenant_id)).or_default() += 1;
            }
        }
        let expected = daily_counts(days);
        let answer = t.store.reading(|tx| tx.userinfo_per_day(range, tenants.as_deref())).unwrap();
        assert_eq!(answer, expected, "{range:?} {tenants:?}");
        calls += expected.len();
    }
    assert!(calls > 100, "next to nothing was counted: {calls}");
}

fn daily_counts(days: BTreeMap<(chrono::NaiveDate, TenantId), u64>) -> Vec<DailyCount> {
    days.into_iter().map(|((day, tenant_id), count)| DailyCount { day, tenant_id, count }).collect()
}

fn behaviors_are_recounted(t: &TestStore) {
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
                event.page.as_ref().map(|page| Behavior { at: event.occurred_at, page: page.sent.clone() })
            })
            .collect();
        expected.sort_by_key(|behavior| behavior.at);
        assert_eq!(t.store.reading(|tx| tx.behaviors(&user, range, tenant)).unwrap(), expected, "{user} {range:?}");
        found += expected.len();
    }
    assert!(found > 100, "next to nothing was found: {found}");
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

fn creations_are_recounted(t: &TestStore) {
    let random = TestEntropy::new(5);
    let entries = ledger(t, &random);
    let mut rows = 0;
    for _ in 0..QUESTIONS * 2 {
        let (range, kind) = (random::range(&random), random.pick(&CreationKind::ALL));
        let tenants = some_tenants(&random);
        let asked = |entry: &Creation| match (&tenants, kind) {
            (None, _) => true,
            (Some(tenants), CreationKind::Tenant | CreationKind::TenantUser) => tenants.contains(&entry.tenant_id),
            (Some(tenants), CreationKind::SaasUser) => {
                let of = tenants_of(&entries, entry.user_id.as_ref());
                tenants.iter().any(|tenant| of.contains(tenant)) || (of.is_empty() && tenants.contains(&TenantId::NONE))
            }
        };
        let mut days: BTreeMap<_, u64> = BTreeMap::new();
        for entry in entries.iter().filter(|entry| entry.kind == kind && entry.tenant_id != TenantId::SYSTEM) {
            if within(range, entry.created_at) && asked(entry) {
                *days.entry((entry.created_at.date_naive(), entry.tenant_id)).or_default() += 1;
            }
        }
        let expected = daily_counts(days);
        let answer = t.store.reading(|tx| tx.creations_per_day(kind, range, tenants.as_deref())).unwrap();
        assert_eq!(answer, expected, "{kind:?} {range:?} {tenants:?}");
        rows += expected.len();
    }
    assert!(rows > 300, "next to nothing was counted: {rows}");
}

fn registrations_are_recounted(t: &TestStore) {
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
    assert!(users > 50, "next to nothing was counted: {users}");
}

fn reported_numbers_are_kept(t: &TestStore) {
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
