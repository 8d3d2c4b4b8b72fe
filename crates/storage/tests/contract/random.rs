//! Random events and filters, the same in every run.

use chrono::Duration;
use trailkeeper_domain::address::AddressRange;
use trailkeeper_domain::event::{Event, EventFilter, EventKind, Outcome, Target, Values};
use trailkeeper_domain::id::{EnvId, TenantId, UserId};
use trailkeeper_domain::page::Page;
use trailkeeper_domain::time::{TimeRange, Timestamp};
use trailkeeper_testkit::{TestEntropy, at, event, tenant_id, user_id, visibility};

const KINDS: [&str; 7] =
    ["login_success", "login_fail", "page_load", "userinfo", "logout", "invoice.paid", "events_read"];
const PAGES: [&str; 5] = ["/", "/users", "/users?page=2", "https://app.example/a#top", "/Ä"];
const SOURCES: [&str; 5] = ["192.0.2.1", "192.0.2.200", "198.51.100.7", "2001:db8::1", "2001:db8:1::1"];

pub(crate) fn tenant(random: &TestEntropy) -> TenantId {
    random.pick(&[TenantId::NONE, TenantId::SYSTEM, tenant_id(1), tenant_id(2), tenant_id(3)])
}

pub(crate) fn user(random: &TestEntropy) -> UserId {
    user_id(random.pick(&USERS))
}

/// A time from the end of November to the beginning of March, often at the border of a day or a month.
pub(crate) fn time(random: &TestEntropy) -> Timestamp {
    let days = i64::try_from(random.below(100)).unwrap();
    let midnight = at("2025-11-25T00:00:00Z") + Duration::days(days);
    let micros = i64::try_from(random.below(86_400_000_000)).unwrap();
    midnight + Duration::microseconds(random.pick(&[0, -1, micros, micros, 43_200_000_000]))
}

pub(crate) fn range(random: &TestEntropy) -> TimeRange {
    let (one, other) = (time(random), time(random));
    TimeRange { start: one.min(other), end: one.max(other) }
}

fn maybe<T>(random: &TestEntropy, percent: u64, value: impl FnOnce() -> T) -> Option<T> {
    (random.below(100) < percent).then(value)
}

pub(crate) fn events(random: &TestEntropy, count: u128) -> Vec<Event> {
    (1..=count)
        .map(|number| Event {
            tenant_id: tenant(random),
            env_id: EnvId(u32::try_from(random.below(3)).unwrap()),
            occurred_at: time(random),
            user_id: maybe(random, 85, || user(random)),
            kind: EventKind::known(random.pick(&KINDS)),
            outcome: random.pick(&Outcome::ALL),
            source: maybe(random, 80, || random.pick(&SOURCES).parse().unwrap()),
            page: maybe(random, 60, || Page::parse("page", random.pick(&PAGES)).unwrap()),
            session_id: maybe(random, 50, || format!("s{}", random.below(4))),
            target: maybe(random, 60, || Target {
                kind: maybe(random, 70, || random.pick(&TARGET_TYPES).to_owned()),
                id: maybe(random, 70, || random.below(3).to_string()),
                name: None,
            })
            .filter(|target| *target != Target::default()),
            ..event(number)
        })
        .collect()
}

const USERS: [&str; 6] = ["ann", "Ann", "bob", "cy", "dée", "eve"];
const TARGET_TYPES: [&str; 3] = ["invoice", "Invoice", "user"];

/// A condition that `percent` of the filters have: up to three values that are wanted, excluded, or both.
fn values<T>(random: &TestEntropy, percent: u64, value: impl Fn() -> T) -> Values<T> {
    let some = || (0..=random.below(3)).map(|_| value()).collect();
    if random.below(100) >= percent {
        return Values::default();
    }
    match random.below(5) {
        0..3 => Values { any_of: some(), none_of: Vec::new() },
        3 => Values { any_of: Vec::new(), none_of: some() },
        _ => Values { any_of: some(), none_of: some() },
    }
}

pub(crate) fn filter(random: &TestEntropy) -> EventFilter {
    let networks = ["192.0.2.0/24", "192.0.2.1", "192.0.2.200", "0.0.0.0/0", "2001:db8::/32", "::/0", "203.0.113.7"];
    let users = [&USERS[..], &["nobody", "no one"]].concat();
    let kinds = [&KINDS[..], &["never"]].concat();
    let range = range(random);
    let visibility = maybe(random, 30, || tenant(random)).map_or(visibility::EVERYTHING, visibility::of_tenant);
    let visibility = if random.below(3) == 0 { visibility.narrow_to_customers() } else { visibility };
    // Conditions are added to a filter without any, so that a new kind of condition does not have to be drawn here.
    let mut filter = EventFilter::within(visibility);
    filter.without_reads = random.below(3) == 0;
    filter.env_id = values(random, 15, || EnvId(u32::try_from(random.below(4)).unwrap()));
    filter.user_id = values(random, 30, || user_id(random.pick(&users)));
    filter.kind = values(random, 40, || EventKind::known(random.pick(&kinds)));
    filter.outcome = values(random, 20, || random.pick(&Outcome::ALL));
    filter.failed = maybe(random, 15, || random.below(2) == 0);
    filter.source = values(random, 25, || AddressRange::parse("source", random.pick(&networks)).unwrap());
    filter.page = values(random, 25, || random.pick(&["/", "/users", "/Ä", "/none", "(other)"]).to_owned());
    filter.session_id = values(random, 15, || format!("s{}", random.below(5)));
    filter.target_type = values(random, 15, || random.pick(&TARGET_TYPES).to_owned());
    filter.target_id = values(random, 15, || random.below(4).to_string());
    filter.from = maybe(random, 25, || range.start);
    filter.until = maybe(random, 25, || range.end);
    filter
}
