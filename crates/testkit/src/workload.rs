//! The deterministic workload of the benchmarks: the actions of a SaaS vendor's users in 90 days.
//!
//! 500 tenants and 100,000 users by a Zipf law, 300 pages, 88 % page loads, 8 % logins, 2 % failed logins, 2 %
//! userinfo. An event has an id, a tenant, an environment, a time, a user, a type, an outcome and a source; a page load
//! also has a page. No event has a session, a user agent or metadata. The same seed gives the same events in every run.

use std::net::{IpAddr, Ipv4Addr};

use chrono::Duration;
use trailkeeper_domain::event::{Event, EventKind, LOGIN_FAIL, LOGIN_SUCCESS, PAGE_LOAD, USERINFO};
use trailkeeper_domain::id::{EnvId, EventId, TenantId, UserId};
use trailkeeper_domain::page::Page;
use trailkeeper_domain::time::Timestamp;

use crate::builders::{at, tenant_id, uuid};
use crate::entropy::TestEntropy;

const TENANTS: usize = 500;
const USERS: usize = 100_000;
const PAGES: usize = 300;
const DAYS: i64 = 90;

/// An endless iterator of events. They are in order of time as long as no more than `expected` are taken.
///
/// ```
/// use trailkeeper_testkit::Workload;
///
/// let events: Vec<_> = Workload::new(1, 1_000).take(1_000).collect();
/// assert!(events.is_sorted_by_key(|event| event.occurred_at));
/// assert!(Workload::new(1, 1_000).take(1_000).eq(events));
/// ```
pub struct Workload {
    entropy: TestEntropy,
    users: Zipf,
    pages: Zipf,
    homes: Vec<TenantId>,
    start: Timestamp,
    step: Duration,
    made: u32,
}

impl Workload {
    /// A workload that spreads `expected` events over its 90 days.
    pub fn new(seed: u64, expected: u32) -> Self {
        let entropy = TestEntropy::new(seed);
        let tenants = Zipf::new(TENANTS);
        let homes = (0..USERS).map(|_| tenant_id(tenants.draw(&entropy) as u128)).collect();
        Self {
            entropy,
            users: Zipf::new(USERS),
            pages: Zipf::new(PAGES),
            homes,
            start: at("2026-07-01T00:00:00Z"),
            step: Duration::microseconds(DAYS * 86_400_000_000 / i64::from(expected.max(1))),
            made: 0,
        }
    }
}

impl Iterator for Workload {
    type Item = Event;

    fn next(&mut self) -> Option<Event> {
        let number = self.made;
        self.made += 1;
        let user = self.users.draw(&self.entropy);
        let tenant = *self.homes.get(user)?;
        let kind = match self.entropy.below(100) {
            0..88 => PAGE_LOAD,
            88..96 => LOGIN_SUCCESS,
            96..98 => LOGIN_FAIL,
            _ => USERINFO,
        };
        let kind = EventKind::known(kind);
        let page = (kind.as_str() == PAGE_LOAD).then(|| {
            let path = format!("/app/section-{}/page", self.pages.draw(&self.entropy));
            Page::parse("page", path).expect("a page of the workload is a good one")
        });
        let occurred_at = self.start + self.step * i32::try_from(number).unwrap_or(i32::MAX);
        let [a, b] = [user % 250, user / 250 % 250].map(|byte| u8::try_from(byte).unwrap_or_default());
        let (id, outcome) = (EventId(uuid(u128::from(number))), kind.default_outcome());
        Some(Event {
            env_id: EnvId(1 + u32::from(self.entropy.below(10) == 0)),
            user_id: Some(UserId::stored(format!("user-{user:06}"))),
            source: Some(IpAddr::V4(Ipv4Addr::new(198, 18, b, a))),
            page,
            ..Event::new(id, tenant, occurred_at, kind, outcome)
        })
    }
}

/// A random number from 0 to n - 1, in which k has the weight 1 / (k + 1).
struct Zipf {
    sums: Vec<f64>,
}

impl Zipf {
    fn new(n: usize) -> Self {
        let weights = (1..=u32::try_from(n).expect("a small number")).map(|rank| 1.0 / f64::from(rank));
        let sums = weights.scan(0.0, |sum, weight| {
            *sum += weight;
            Some(*sum)
        });
        Self { sums: sums.collect() }
    }

    fn draw(&self, entropy: &TestEntropy) -> usize {
        #[expect(clippy::cast_precision_loss, reason = "53 random bits are what a double holds")]
        let unit = (entropy.number() >> 11) as f64 / (1_u64 << 53) as f64;
        let end = self.sums.last().copied().unwrap_or_default();
        self.sums.partition_point(|sum| *sum <= unit * end).min(self.sums.len() - 1)
    }
}
