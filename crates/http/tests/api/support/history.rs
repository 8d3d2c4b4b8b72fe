//! A random history of customers, and functions to recount it. Tests compare answers with the recount before events are
//! merged, when some are merged, and when all are merged.

use chrono::{DateTime, Duration, FixedOffset, NaiveDateTime, Utc};
use serde_json::{Value, json};
use trailkeeper_analytics::engine::merger;
use trailkeeper_testkit::TestEntropy;

use crate::support::{ACME, OTHER, TestApp, numbered};

/// The id that means "no tenant".
pub const NONE: &str = "00000000-0000-0000-0000-000000000000";

/// The start of the history; it lasts 80 days.
const FIRST: &str = "2026-05-01T00:00:00Z";

/// Draws from short lists, so that many events share each value.
struct Dice(u64);

impl Dice {
    fn below(&mut self, bound: usize) -> usize {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        usize::try_from((self.0 >> 33) % bound as u64).unwrap()
    }

    fn of<T: Copy>(&mut self, values: &[T]) -> T {
        let at = self.below(values.len());
        values[at]
    }
}

/// Events in no order of time. Users come and go, so that cohorts differ.
pub fn events(count: usize) -> Vec<Value> {
    let mut dice = Dice(41);
    (0..count)
        .map(|number| {
            let user = dice.below(40);
            // Each user is active in a few weeks; some times are in the first or last minute of a local day.
            let day = (user * 2 + dice.below(25)).min(79);
            let minute = dice.of(&[0, 1, 540, 899, 900, 901, 1_000, 1_439]);
            let at = instant(FIRST) + Duration::days(i64::try_from(day).unwrap()) + Duration::minutes(minute);
            json!({
                "id": numbered(number as u128),
                "tenant_id": dice.of(&[ACME, ACME, OTHER, NONE]),
                "env_id": dice.of(&[1, 1, 2]),
                "user_id": if user == 0 { None } else { Some(format!("u{user}")) },
                "type": dice.of(&["page_load", "page_load", "login_success", "login_fail", "userinfo", "a.b"]),
                "outcome": dice.of(&["success", "failure", "unknown"]),
                "source": dice.of(&["192.0.2.1", "192.0.2.9", "2001:db8::1"]),
                "page": dice.of(&[None, Some("/a"), Some("/a?x=1"), Some("/b#top"), Some("/c"), Some("/d")]),
                "occurred_at": at.to_rfc3339(),
            })
        })
        .collect()
}

/// Records the events in three parts and merges between them; calls `check` in each state with the events so far.
pub fn recorded(app: &TestApp, events: &[Value], check: impl Fn(&[Value])) {
    let admin = app.admin();
    let part = events.len().div_ceil(3);
    for until in [part, 2 * part, events.len()] {
        admin.record(&json!(events[until - part.min(until)..until]));
        let so_far = &events[..until];
        check(so_far);
        let services = &app.state.services;
        merger::run_once(app.state.store(), services.clock.as_ref(), &TestEntropy::new(until as u64)).unwrap();
        check(so_far);
    }
}

pub fn instant(text: &str) -> DateTime<Utc> {
    text.parse().unwrap()
}

/// The time of an event.
pub fn at(event: &Value) -> DateTime<Utc> {
    instant(event["occurred_at"].as_str().unwrap())
}

/// The time by a clock that is always `hours` ahead of UTC.
pub fn local(at: DateTime<Utc>, hours: i32) -> NaiveDateTime {
    at.with_timezone(&FixedOffset::east_opt(hours * 3_600).unwrap()).naive_local()
}

/// Whether an event failed: a login by its type, any other event by its outcome.
pub fn failed(event: &Value) -> bool {
    match event["type"].as_str().unwrap() {
        "login_fail" => true,
        "login_success" => false,
        _ => event["outcome"] == "failure",
    }
}

/// The page as statistics group it.
pub fn page(event: &Value) -> Option<&str> {
    event["page"].as_str().map(|page| page.split(['?', '#']).next().unwrap())
}

/// A filter of a question: its parameters, and the events that match them.
pub struct EventFilter {
    pub query: &'static str,
    tenant: Option<&'static str>,
    env: Option<u32>,
}

impl EventFilter {
    pub const ALL: [Self; 4] = [
        Self { query: "", tenant: None, env: None },
        Self { query: "&tenant_id=69e732d6-8ecc-45c4-a2eb-8438f7ffe775", tenant: Some(ACME), env: None },
        Self { query: "&tenant_id=69e732d6-8ecc-45c4-a2eb-8438f7ffe775&env_id=2", tenant: Some(ACME), env: Some(2) },
        Self { query: "&tenant_id=00000000-0000-0000-0000-000000000000", tenant: Some(NONE), env: None },
    ];

    pub fn has(&self, event: &Value) -> bool {
        self.tenant.is_none_or(|tenant| event["tenant_id"] == tenant)
            && self.env.is_none_or(|env| event["env_id"] == env)
    }
}
