//! The random content of a history; equal for equal seeds.

use std::cell::Cell;
use std::net::IpAddr;

use chrono::{Duration, NaiveDate};
use trailkeeper_domain::creation::{Creation, CreationKind};
use trailkeeper_domain::event::{Event, EventKind, LOGIN_FAIL, LOGIN_SUCCESS, LOGOUT, Outcome, PAGE_LOAD, USERINFO};
use trailkeeper_domain::id::{CreationId, EnvId, EventId, TenantId, UserId};
use trailkeeper_domain::page::{Page, PageHash, PageQueries, PageRule, TrailingSlash};
use trailkeeper_domain::scope::Level;
use trailkeeper_domain::time::{self, TimeRange, Timestamp};
use trailkeeper_domain::user::PoolId;
use trailkeeper_testkit::{TestEntropy, at, day, event, tenant_id, user_id, uuid};

const DAY: i64 = 86_400_000_000;
const HOUR: i64 = 3_600_000_000;
const KINDS: [&str; 8] = [PAGE_LOAD, PAGE_LOAD, USERINFO, LOGIN_SUCCESS, LOGIN_FAIL, LOGOUT, "invoice.paid", "sign_up"];
/// A page that is really named `(other)` is counted together with the pages beyond the limit.
const PAGES: [&str; 14] = [
    "/",
    "/users",
    "/users?page=2",
    "https://app.example/a#top",
    "https://APP.example:443/%61",
    "/Ä",
    "/%c3%84",
    "/b",
    "/b/",
    "/a/../b#/route",
    "/b#!/route/",
    "?q=1",
    "?q=%31",
    "(other)",
];
const SOURCES: [&str; 4] = ["192.0.2.1", "198.51.100.7", "2001:db8::1", "2001:db8::2"];
const REGIONS: [&str; 2] = ["ap-northeast-1", "eu-central-1"];

/// Draws the content of a history.
pub(crate) struct Random {
    entropy: TestEntropy,
    made: Cell<u128>,
}

impl Random {
    pub(crate) fn new(seed: u64) -> Self {
        Self { entropy: TestEntropy::new(seed), made: Cell::new(0) }
    }

    pub(crate) fn below(&self, end: u64) -> u64 {
        self.entropy.below(end)
    }

    pub(crate) fn chance(&self, percent: u64) -> bool {
        self.below(100) < percent
    }

    pub(crate) fn pick<T: Clone>(&self, choices: &[T]) -> T {
        let at = usize::try_from(self.below(choices.len() as u64)).unwrap();
        choices.get(at).unwrap().clone()
    }

    pub(crate) fn maybe<T>(&self, percent: u64, value: impl FnOnce() -> T) -> Option<T> {
        self.chance(percent).then(value)
    }

    fn number(&self) -> u128 {
        self.made.set(self.made.get() + 1);
        self.made.get()
    }

    /// A customer, or no tenant.
    pub(crate) fn tenant(&self) -> TenantId {
        self.pick(&[TenantId::NONE, tenant_id(1), tenant_id(2), tenant_id(2), tenant_id(3), tenant_id(4)])
    }

    pub(crate) fn env(&self) -> EnvId {
        EnvId(self.pick(&[0, 1, 1, 1, 2, u32::MAX]))
    }

    pub(crate) fn user(&self) -> UserId {
        user_id(self.pick(&["ann", "Ann", "bob", "cy", "dée", "eve", "fay", "gus", "hal", "O'Neill"]))
    }

    /// A day of one winter with a leap day, or one of a few other days, among them the first one of UNIX time.
    pub(crate) fn day(&self) -> NaiveDate {
        match self.below(24) {
            0 => day("1970-01-01"),
            1 => day("2020-02-29"),
            2 => day("2023-02-28"),
            3 => day("2023-12-31"),
            4 => day("2024-01-01"),
            5 => day("2024-02-29"),
            6 => day("2024-03-01"),
            _ => day("2023-12-17") + chrono::Days::new(self.below(90)),
        }
    }

    /// A time, often the first or the last microsecond of a day or an hour.
    pub(crate) fn moment(&self) -> Timestamp {
        let hour = i64::try_from(self.below(24)).unwrap() * HOUR;
        let micros = match self.below(8) {
            0 => 0,
            1 => DAY - 1,
            2 => hour,
            3 => hour + HOUR - 1,
            4 => hour + i64::try_from(self.below(3_600)).unwrap() * 1_000_000,
            _ => i64::try_from(self.below(DAY.cast_unsigned())).unwrap(),
        };
        time::midnight(self.day()) + Duration::microseconds(micros)
    }

    /// A range that is not inverted: of whole days, months or quarters, of one microsecond, empty, or any other.
    pub(crate) fn range(&self) -> TimeRange {
        let (one, other) = (self.moment(), self.moment());
        let (start, end) = (one.min(other), one.max(other));
        match self.below(9) {
            0 => TimeRange { start, end: start },
            1 => TimeRange { start, end: time::just_after(start) },
            2 => TimeRange::of_days(start.date_naive(), start.date_naive()),
            3 | 4 => TimeRange::of_days(start.date_naive(), end.date_naive()),
            5 => TimeRange {
                start: time::midnight(time::month_of(start.date_naive())),
                end: time::midnight(time::next_month(end.date_naive())),
            },
            6 => TimeRange {
                start: Level::Quarter.floor(start),
                end: Level::Quarter.range(Level::Quarter.floor(end)).end,
            },
            _ => TimeRange { start, end },
        }
    }

    /// The first and the last day of a range of at most about nine years.
    pub(crate) fn days(&self) -> (NaiveDate, NaiveDate) {
        let (one, other) = (self.day(), self.day());
        let (first, last) = (one.min(other), one.max(other));
        (first.max(last - chrono::Days::new(3_200)), last)
    }

    /// A batch to store: mostly new events, and some known ones with the same or with other content.
    pub(crate) fn batch(&self, most: u64, known: &[(TenantId, EventId)], again: &[Event]) -> Vec<Event> {
        let mut batch: Vec<Event> = Vec::new();
        for _ in 0..=self.below(most) {
            let mut event = self.event();
            if !again.is_empty() && self.chance(6) {
                event = self.pick(again);
            } else if !known.is_empty() && self.chance(6) {
                (event.tenant_id, event.id) = self.pick(known);
            } else if !known.is_empty() && self.chance(4) {
                // An id is unique per tenant: the same id of another tenant is another event.
                event.id = self.pick(known).1;
            }
            // The port requires that the caller has dropped duplicates inside a batch.
            if !batch.iter().any(|other| (other.tenant_id, other.id) == (event.tenant_id, event.id)) {
                batch.push(event);
            }
        }
        batch
    }

    fn event(&self) -> Event {
        let number = self.number();
        Event {
            id: EventId(uuid(number)),
            tenant_id: if self.chance(6) { TenantId::SYSTEM } else { self.tenant() },
            env_id: self.env(),
            occurred_at: self.moment(),
            received_at: self.received(),
            user_id: self.maybe(88, || self.user()),
            kind: EventKind::known(self.pick(&KINDS)),
            outcome: self.pick(&Outcome::ALL),
            source: self.maybe(60, || self.pick(&SOURCES).parse::<IpAddr>().unwrap()),
            user_agent: self.maybe(20, || format!("agent/{}", self.below(3))),
            user_name: self.maybe(20, || format!("name {}", self.below(3))),
            page: self.maybe(65, || self.page()),
            session_id: self.maybe(20, || format!("s{}", self.below(4))),
            ..event(number)
        }
    }

    /// One of few days, so that tenants reach the limit of new pages per day.
    fn received(&self) -> Timestamp {
        at("2024-03-09T00:00:00Z") + Duration::microseconds(self.pick(&[0, DAY - 1, DAY, DAY + HOUR, 2 * DAY]))
    }

    fn page(&self) -> Page {
        let sent = match self.below(10) {
            0 => format!("/new/{}", self.below(200)),
            1 => format!("/new/{}?n={}", self.below(200), self.below(3)),
            _ => self.pick(&PAGES).to_owned(),
        };
        Page::parse("page", sent).unwrap()
    }

    /// Any rule of pages.
    pub(crate) fn rule(&self) -> PageRule {
        let version = self.pick(&[0, 1, 1, 1]);
        let queries = self.pick(PageQueries::ALL);
        match version {
            0 => PageRule { version, queries, ..PageRule::default() },
            _ => PageRule {
                version,
                queries,
                trailing_slash: self.pick(TrailingSlash::ALL),
                hash: self.pick(PageHash::ALL),
            },
        }
    }

    /// An entry of the ledger of creations, sometimes a known one with another time.
    pub(crate) fn creation(&self) -> Creation {
        let number = self.below(60);
        let kind = CreationKind::ALL[usize::try_from(number % 3).unwrap()];
        let user = (kind != CreationKind::Tenant)
            .then(|| user_id(["ann", "bob", "cy", "dée", "eve"][usize::try_from(number % 5).unwrap()]));
        let saas_user = kind == CreationKind::SaasUser;
        Creation {
            id: CreationId(uuid(0xc1_0000_0000 + u128::from(number))),
            kind,
            tenant_id: if saas_user { TenantId::NONE } else { tenant_id(1 + u128::from(number / 3 % 4)) },
            user_id: user,
            region: self.maybe(80, || self.pick(&REGIONS).to_owned()).filter(|_| saas_user),
            user_pool_id: self
                .maybe(80, || PoolId::stored(self.pick(&["pool_a", "pool_b"]).to_owned()))
                .filter(|_| saas_user),
            created_at: self.moment(),
        }
    }
}
