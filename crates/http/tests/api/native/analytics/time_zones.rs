//! Random events in several time zones; each answer is compared with a recount.

use std::collections::{BTreeMap, BTreeSet};

use chrono::{DateTime, Datelike, Duration, NaiveDateTime, Timelike, Utc};
use serde_json::{Value, json};
use trailkeeper_testkit::{DatabaseKind, at};

use crate::support::{ACME, OTHER, TestApp, numbered};

struct Dice(u64);

impl Dice {
    fn below(&mut self, end: u64) -> u64 {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (self.0 >> 33) % end
    }

    fn of<T: Copy>(&mut self, values: &[T]) -> T {
        let index = self.below(values.len() as u64);
        values[usize::try_from(index).unwrap()]
    }
}

/// Events in random order, in seven weeks around the day on which New York's clocks go forward, across a month's end.
fn events() -> Vec<Value> {
    let mut dice = Dice(11);
    let first = at("2026-02-10T00:00:00Z");
    (0..600)
        .map(|number| {
            // Every third event lies on a full or half hour, where errors are likely.
            let second = i64::try_from(dice.below(49 * 86_400)).unwrap();
            let second = if number % 3 == 0 { second / 1_800 * 1_800 } else { second };
            json!({
                "id": numbered(number),
                "tenant_id": dice.of(&[ACME, ACME, OTHER]),
                "env_id": dice.of(&[1, 2]),
                "user_id": dice.of(&[None, Some("u1"), Some("u2"), Some("u3"), Some("u4"), Some("u5")]),
                "type": dice.of(&["login_success", "login_fail", "page_load", "own.kind"]),
                "outcome": dice.of(&["success", "failure", "unknown"]),
                "source": dice.of(&["192.0.2.1", "192.0.2.2", "2001:db8::1", "2001:db8::2"]),
                "occurred_at": (first + Duration::seconds(second)).to_rfc3339(),
            })
        })
        .collect()
}

/// The zone's offset in these weeks, in minutes east of UTC.
fn offset(zone: &str, at: DateTime<Utc>) -> i64 {
    match zone {
        "UTC" => 0,
        "Asia/Tokyo" => 540,
        "Asia/Kolkata" => 330,
        "America/New_York" if at < self::at("2026-03-08T07:00:00Z") => -300,
        "America/New_York" => -240,
        _ => panic!("{zone}"),
    }
}

/// The common key of the events of one bucket: its local start, and for hours the offset.
fn key(zone: &str, granularity: &str, at: DateTime<Utc>) -> (NaiveDateTime, i64) {
    let offset = offset(zone, at);
    let local = at.naive_utc() + Duration::minutes(offset);
    let day = local.date().and_hms_opt(0, 0, 0).unwrap();
    match granularity {
        "hour" => (day + Duration::hours(local.hour().into()), offset),
        "day" => (day, 0),
        "week" | "week&week_start=monday" => (day - Duration::days(local.weekday().num_days_from_monday().into()), 0),
        "week&week_start=sunday" => (day - Duration::days(local.weekday().num_days_from_sunday().into()), 0),
        "week&week_start=saturday" => {
            (day - Duration::days(((local.weekday().num_days_from_sunday() + 1) % 7).into()), 0)
        }
        "month" => (day.with_day(1).unwrap(), 0),
        _ => panic!("{granularity}"),
    }
}

fn time(value: &Value) -> DateTime<Utc> {
    at(value.as_str().unwrap())
}

fn failed(event: &Value) -> bool {
    match event["type"].as_str().unwrap() {
        "login_fail" => true,
        "login_success" => false,
        _ => event["outcome"] == "failure",
    }
}

fn distinct<'a>(events: &[&'a Value], field: &str) -> BTreeSet<&'a str> {
    events.iter().filter_map(|event| event[field].as_str()).collect()
}

fn traffic_of(events: &[&Value]) -> Value {
    let mut types = BTreeMap::<&str, Vec<&Value>>::new();
    for event in events {
        types.entry(event["type"].as_str().unwrap()).or_default().push(event);
    }
    let types: Vec<Value> = types
        .iter()
        .map(|(name, events)| json!({"type": name, "events": events.len(), "users": distinct(events, "user_id").len()}))
        .collect();
    json!({"events": events.len(), "users": distinct(events, "user_id").len(), "types": types})
}

fn logins_of(events: &[&Value]) -> Value {
    let of = |kind: &str| {
        let logins: Vec<&Value> = events.iter().copied().filter(|event| event["type"] == kind).collect();
        let (users, sources) = (distinct(&logins, "user_id").len(), distinct(&logins, "source").len());
        json!({"logins": logins.len(), "users": users, "sources": sources})
    };
    json!({"success": of("login_success"), "failure": of("login_fail")})
}

/// The active users of `events`; `before` are the earlier events.
fn users_of(events: &[&Value], before: &[&Value]) -> Value {
    let active = |events: &[&Value]| {
        let events = events.iter().filter(|event| !failed(event));
        events.filter_map(|event| event["user_id"].as_str().map(str::to_owned)).collect::<BTreeSet<_>>()
    };
    let (now, known) = (active(events), active(before));
    let returning = now.intersection(&known).count();
    json!({"active_users": now.len(), "new_users": now.len() - returning, "returning_users": returning})
}

/// The fields of `expected` in `given`.
fn same_fields(given: &Value, expected: &Value, context: &str) {
    for (name, value) in expected.as_object().unwrap() {
        assert_eq!(&given[name], value, "{context}: {name} of {given}");
    }
}

struct Question<'a> {
    app: &'a TestApp,
    zone: &'a str,
    granularity: &'a str,
    range: (&'a str, &'a str),
    audience: &'a str,
    /// Sorted by time.
    events: Vec<(DateTime<Utc>, &'a Value)>,
}

impl Question<'_> {
    fn ask(&self, path: &str) -> Value {
        let Self { zone, granularity, range: (from, to), audience, .. } = self;
        let query = format!("from={from}&to={to}&timezone={zone}&granularity={granularity}{audience}");
        self.app.admin().get(&format!("/v1/analytics/{path}?{query}")).ok()["current"].clone()
    }

    fn between(&self, start: DateTime<Utc>, end: DateTime<Utc>) -> Vec<&Value> {
        let position = |at| self.events.partition_point(|(time, _)| *time < at);
        self.events[position(start)..position(end)].iter().map(|(_, event)| *event).collect()
    }

    /// Compares every bucket and the totals of an answer with `recount` of the events and the earlier ones.
    fn check(&self, path: &str, recount: impl Fn(&[&Value], &[&Value]) -> Value) {
        let answer = self.ask(path);
        let context = format!("{path} {} {} {:?} {}", self.zone, self.granularity, self.range, self.audience);
        let (start, end) = (time(&answer["start"]), time(&answer["end"]));
        let before = |at| self.between(DateTime::<Utc>::MIN_UTC, at);
        same_fields(&answer["totals"], &recount(&self.between(start, end), &before(start)), &context);
        // A bucket has exactly the events of the range with one key: then its ends are right.
        let keyed = |events: Vec<&Value>| {
            let keys = events.iter().map(|event| key(self.zone, self.granularity, time(&event["occurred_at"])));
            keys.collect::<BTreeSet<_>>()
        };
        let (mut next, mut seen) = (start, BTreeSet::new());
        for bucket in answer["buckets"].as_array().unwrap() {
            let (from, to) = (time(&bucket["start"]), time(&bucket["end"]));
            assert!(from == next && from < to, "{context}: {bucket}");
            next = to;
            let begin = key(self.zone, self.granularity, from);
            assert!(seen.insert(begin), "{context}: {bucket} was cut in two");
            assert!(keyed(self.between(from, to)).iter().all(|key| *key == begin), "{context}: {bucket}");
            same_fields(bucket, &recount(&self.between(from, to), &before(from)), &context);
        }
        assert_eq!(next, end, "{context}");
    }
}

const GRANULARITIES: [&str; 7] =
    ["hour", "day", "week", "week&week_start=monday", "week&week_start=sunday", "week&week_start=saturday", "month"];

fn recount_on(kind: DatabaseKind) {
    let app = TestApp::on(kind);
    let events = events();
    for some in events.chunks(100) {
        app.admin().record(&json!(some));
    }
    let ranges = [("2026-02-28", "2026-03-12"), ("2026-02-20T04:59:59.5Z", "2026-03-10T18:30:00Z")];
    let audiences = [
        (String::new(), None, None),
        (format!("&tenant_id={ACME}"), Some(ACME), None),
        (format!("&tenant_id={ACME}&env_id=2"), Some(ACME), Some(2)),
    ];
    for zone in ["UTC", "Asia/Tokyo", "Asia/Kolkata", "America/New_York"] {
        for granularity in GRANULARITIES {
            for range in ranges {
                for (audience, tenant, env) in &audiences {
                    let counted = |event: &&Value| {
                        tenant.is_none_or(|tenant| event["tenant_id"] == tenant)
                            && env.is_none_or(|env| event["env_id"] == env)
                    };
                    let timed = events.iter().filter(counted).map(|event| (time(&event["occurred_at"]), event));
                    let mut events: Vec<_> = timed.collect();
                    events.sort_by_key(|(time, _)| *time);
                    let question = Question { app: &app, zone, granularity, range, audience, events };
                    question.check("traffic", |events, _| traffic_of(events));
                    question.check("logins", |events, _| logins_of(events));
                    question.check("active-users", users_of);
                }
            }
        }
    }
}

#[test]
fn answers_agree_with_a_recount_on_sqlite() {
    recount_on(DatabaseKind::Sqlite);
}

#[test]
fn answers_agree_with_a_recount_on_postgres() {
    recount_on(DatabaseKind::Postgres);
}
