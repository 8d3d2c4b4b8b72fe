//! The events of the demo data, in the order of their times.

use chrono::{Datelike as _, Duration, Timelike as _};
use serde_json::json;
use trailkeeper_domain::event::{EventDraft, LOGIN_FAIL, LOGIN_SUCCESS, Metadata, Outcome, PAGE_LOAD, USERINFO};
use trailkeeper_domain::id::{EnvId, TenantId};
use trailkeeper_domain::time::{self, Timestamp};

use crate::demo::names::PAGES;
use crate::demo::random::{Random, Weights};
use crate::demo::world::{Person, USERS, World, address};

/// Days of events, up to now.
const DAYS: i64 = 90;

/// Relative traffic of the hours of a UTC day.
const HOURS: [f64; 24] = [
    2.0, 1.0, 1.0, 1.0, 2.0, 4.0, 9.0, 16.0, 22.0, 24.0, 24.0, 20.0, 19.0, 23.0, 24.0, 22.0, 19.0, 16.0, 12.0, 9.0,
    8.0, 6.0, 4.0, 3.0,
];

/// An iterator over the events, from the oldest to the newest.
pub struct Traffic<'a> {
    world: &'a World,
    random: Random,
    start: Timestamp,
    end: Timestamp,
    hours: Weights,
    users: Weights,
    pages: Weights,
    environments: Weights,
    count: u32,
    done: u32,
    /// People who registered in the time of the events, the newest first.
    signing_up: Vec<&'a Person>,
    waiting: Option<EventDraft>,
}

impl<'a> Traffic<'a> {
    /// `count` events of the 90 days before `now`, and the registrations of that time.
    pub fn new(world: &'a World, random: Random, now: Timestamp, count: u32) -> Self {
        let start = now - Duration::days(DAYS);
        let hours = (0..DAYS * 24).map(|hour| {
            let at = start + Duration::hours(hour);
            let weekend = if at.weekday().num_days_from_monday() >= 5 { 0.3 } else { 1.0 };
            HOURS.get(at.hour() as usize).copied().unwrap_or(1.0) * weekend
        });
        let mut signing_up: Vec<&Person> = world.people.iter().filter(|person| person.registered_at >= start).collect();
        signing_up.sort_by_key(|person| std::cmp::Reverse(person.registered_at));
        Self {
            world,
            random,
            start,
            end: now,
            hours: Weights::new(hours),
            users: Weights::zipf(USERS, 0.85),
            pages: Weights::zipf(40, 1.0),
            environments: Weights::new([85.0, 10.0, 5.0]),
            count,
            done: 0,
            signing_up,
            waiting: None,
        }
    }

    /// Number of events.
    pub fn len(&self) -> u64 {
        u64::from(self.count) + self.signing_up.len() as u64
    }

    /// Time of the n-th event: it lies in the n-th part of all traffic, so times ascend.
    fn time_of(&mut self, number: u32) -> Timestamp {
        let share = (f64::from(number) + self.random.unit()) / f64::from(self.count);
        let hour_index = self.hours.at(share);
        let (before, hour) = self.hours.span(hour_index);
        let inside = ((share - before) / hour).clamp(0.0, 0.999_999);
        let hours = i64::try_from(hour_index).unwrap_or_default();
        #[expect(clippy::cast_possible_truncation, reason = "a fraction of an hour fits")]
        let micros = (inside * 3_600_000_000.0) as i64;
        let at = self.start + Duration::hours(hours) + Duration::microseconds(micros);
        time::truncated(at.min(self.end))
    }

    fn ordinary(&mut self, at: Timestamp) -> EventDraft {
        let world = self.world;
        let random = &mut self.random;
        // People who register later have no events yet, so another person is drawn.
        let person =
            (0..20).filter_map(|_| world.people.get(self.users.draw(random))).find(|person| person.registered_at <= at);
        let Some(person) = person else { return stranger(random, at) };
        let mut draft = self.base(person, at);
        let random = &mut self.random;
        match random.below(100) {
            0..88 => {
                PAGE_LOAD.clone_into(&mut draft.kind);
                draft.page = Some(page(&self.pages, random));
                draft.outcome = Some(Outcome::Success);
            }
            88..96 => {
                LOGIN_SUCCESS.clone_into(&mut draft.kind);
                let method = if random.chance(30) { "sso" } else { "password" };
                draft.metadata = Some(Metadata::from_iter([("method".to_owned(), json!(method))]));
            }
            96..98 if random.chance(15) => return stranger(random, at),
            96..98 => {
                LOGIN_FAIL.clone_into(&mut draft.kind);
                draft.session_id = None;
                draft.metadata = Some(Metadata::from_iter([("reason".to_owned(), json!("wrong_password"))]));
            }
            _ => {
                USERINFO.clone_into(&mut draft.kind);
                draft.page = if random.chance(50) { Some(page(&self.pages, random)) } else { None };
            }
        }
        draft
    }

    fn base(&mut self, person: &Person, at: Timestamp) -> EventDraft {
        let random = &mut self.random;
        let joined: Vec<TenantId> =
            person.tenants.iter().filter(|(_, since)| *since <= at).map(|(tenant, _)| *tenant).collect();
        let source = if random.chance(90) { person.source } else { address(random) };
        let (id, environment) = (random.uuid(), self.environments.draw(random));
        EventDraft {
            id: Some(id),
            occurred_at: Some(at),
            tenant_id: random.pick(&joined).copied(),
            env_id: u32::try_from(environment + 1).ok().map(EnvId),
            user_id: Some(person.id.as_str().to_owned()),
            user_name: Some(person.name.clone()),
            source: Some(source.to_string()),
            user_agent: Some(person.agent.to_owned()),
            session_id: Some(format!("{}.{}", person.id, at.format("%Y%m%d"))),
            ..EventDraft::default()
        }
    }

    fn sign_up(&mut self, person: &Person) -> EventDraft {
        let mut draft = self.base(person, person.registered_at);
        "sign_up".clone_into(&mut draft.kind);
        draft.env_id = Some(EnvId::default());
        draft.outcome = Some(Outcome::Success);
        draft
    }
}

impl Iterator for Traffic<'_> {
    type Item = EventDraft;

    fn next(&mut self) -> Option<EventDraft> {
        if self.waiting.is_none() && self.done < self.count {
            let at = self.time_of(self.done);
            self.done += 1;
            self.waiting = Some(self.ordinary(at));
        }
        let next_at = self.waiting.as_ref().and_then(|draft| draft.occurred_at);
        match self.signing_up.last().copied() {
            Some(person) if next_at.is_none_or(|at| person.registered_at <= at) => {
                self.signing_up.pop();
                Some(self.sign_up(person))
            }
            _ => self.waiting.take(),
        }
    }
}

/// A failed login by a stranger who guesses user names.
fn stranger(random: &mut Random, at: Timestamp) -> EventDraft {
    EventDraft {
        id: Some(random.uuid()),
        occurred_at: Some(at),
        user_name: Some("UNKNOWN USER".to_owned()),
        kind: LOGIN_FAIL.to_owned(),
        source: Some("203.0.113.66".to_owned()),
        user_agent: Some("python-requests/2.32".to_owned()),
        metadata: Some(Metadata::from_iter([("reason".to_owned(), json!("unknown_user"))])),
        ..EventDraft::default()
    }
}

fn page(pages: &Weights, random: &mut Random) -> String {
    let page = PAGES.get(pages.draw(random)).copied().unwrap_or("/");
    if random.chance(6) { format!("{page}?page={}", 1 + random.below(9)) } else { page.to_owned() }
}
