//! Times questions about one run of a million events, and about waiting events.
//!
//! `cargo bench -p trailkeeper-postings --bench queries`, with `EVENTS=100000` for a smaller run. Prints Markdown. Every
//! answer is compared with a scan of the events.
#![expect(clippy::unwrap_used, clippy::indexing_slicing, reason = "a bench that cannot go on should say where")]
#![expect(clippy::cast_precision_loss, reason = "a ratio is printed with one digit")]

#[path = "queries/waiting.rs"]
mod waiting;

use std::hint::black_box;
use std::time::Instant;

use chrono::{DateTime, TimeDelta};
use trailkeeper_domain::Result;
use trailkeeper_domain::event::Outcome;
use trailkeeper_domain::id::{EnvId, TenantId};
use trailkeeper_domain::indexed_event::IndexedEvent;
use trailkeeper_domain::scope::Scope;
use trailkeeper_domain::time::Timestamp;
use trailkeeper_postings::dimension::{Column, Dimension};
use trailkeeper_postings::page_source::PageSource;
use trailkeeper_postings::query::{Condition, Query, Values, columns, count, distinct, histogram, newest};
use trailkeeper_postings::run::{RunBuilder, RunReader};

/// The number of times that each question is asked. The best time counts.
const TIMES: usize = 7;

/// The month of the run, in microseconds.
const MONTH: u64 = 30 * 86_400 * 1_000_000;

#[derive(Clone)]
struct Stored(Vec<Vec<u8>>);

impl PageSource for Stored {
    fn pages(&mut self, pages: &[u32]) -> Result<Vec<Vec<u8>>> {
        Ok(pages.iter().map(|page| self.0[*page as usize].clone()).collect())
    }
}

fn main() {
    let events = std::env::var("EVENTS").ok().map_or(1_000_000, |events| events.parse().unwrap());
    let events = events_of(events);
    let mut builder = RunBuilder::new(Scope::Everyone);
    for event in &events {
        builder.add(event).unwrap();
    }
    let mut pages = Vec::new();
    let started = Instant::now();
    let header = builder
        .finish(&mut |_, page| {
            pages.push(page);
            Ok(())
        })
        .unwrap();
    let bytes = header.len() + pages.iter().map(Vec::len).sum::<usize>();
    println!(
        "{} events in {:.2} s; a header of {} bytes, {} pages, {:.1} bytes per event.\n",
        events.len(),
        started.elapsed().as_secs_f64(),
        header.len(),
        pages.len(),
        bytes as f64 / events.len() as f64
    );
    println!("| question | answer | ms |\n|---|---|---|");
    let bench = Bench { events, header, pages: Stored(pages) };
    bench.run();
    waiting::run(&bench.events, TIMES);
}

struct Bench {
    events: Vec<IndexedEvent>,
    header: Vec<u8>,
    pages: Stored,
}

impl Bench {
    fn run(&self) {
        let kind = |kind| Condition::is(Dimension::Kind, kind);
        let user = |user| Condition::is(Dimension::User, user);
        let page = |page| Condition::is(Dimension::Page, page);
        let outcome = Condition::is(Dimension::Outcome, 1);
        let both = |one, other| Condition::All(vec![one, other]);
        for (name, condition) in [
            ("everything", Condition::everything()),
            ("a type of 60 %", kind(1)),
            ("a user", user(7)),
            ("a type of 60 % and a user", both(kind(1), user(7))),
            ("a page and failures, 5 %", both(page(150), outcome.clone())),
            ("an unknown user", both(kind(1), user(u32::MAX))),
            ("not a type", Condition::negated(kind(1))),
            ("300 users", Condition::Any(Dimension::User, (1..=300).collect())),
        ] {
            let query = Query::of(condition);
            self.ask(
                &format!("newest 50, {name}"),
                &query,
                |run| newest(run, &query, None, 50).unwrap().len() as u64,
                |found| found.min(50),
            );
        }
        for (name, condition) in [
            ("two types of 30 and 10 %", Condition::Or(vec![kind(2), kind(3)])),
            ("a type of 60 % and failures", both(kind(1), outcome.clone())),
            ("a type of 60 % and a user", both(kind(1), user(7))),
            ("a page and a type", both(page(3), kind(2))),
        ] {
            let start = self.events[0].occurred_at;
            let edges = |parts: u64| -> Vec<Timestamp> {
                let edge = |part: u64| start + TimeDelta::microseconds((MONTH / parts * part).cast_signed());
                (0..=parts).map(edge).collect()
            };
            let query = Query::of(condition);
            self.ask(&format!("count, {name}"), &query, |run| count(run, &query).unwrap(), |found| found);
            for parts in [30, 720] {
                let edges = edges(parts);
                self.ask(
                    &format!("histogram of {parts}, {name}"),
                    &query,
                    |run| {
                        let mut counts = vec![0; edges.len() - 1];
                        histogram(run, &query, &edges, &mut counts).unwrap();
                        counts.iter().sum::<u64>()
                    },
                    |found| found,
                );
            }
            let users = || {
                let mut users: Vec<u32> = self.matching(&query).filter_map(|event| event.user).collect();
                users.sort_unstable();
                users.dedup();
                users.len() as u64
            };
            self.ask(
                &format!("distinct users, {name}"),
                &query,
                |run| {
                    let mut users = Values::default();
                    distinct(run, &query, Column::User, &mut users).unwrap();
                    users.len()
                },
                |_| users(),
            );
        }
        let noon = self.events[0].occurred_at + TimeDelta::hours(100);
        let hour = Query::of(Condition::negated(Condition::is(Dimension::System, 1)))
            .between(noon, noon + TimeDelta::hours(1));
        let all = |run: &mut RunReader<Stored>, query: &Query| {
            let mut found = 0;
            columns(run, query, None, usize::MAX, &mut |_| {
                found += 1;
                Ok(())
            })
            .unwrap();
            found
        };
        self.ask("columns of an hour", &hour, |run| all(run, &hour), |found| found);
        let of_user = Query::of(user(7));
        self.ask("columns of a user", &of_user, |run| all(run, &of_user), |found| found);
    }

    fn matching<'a>(&'a self, query: &'a Query) -> impl Iterator<Item = &'a IndexedEvent> {
        self.events.iter().filter(|event| query.matches(event))
    }

    fn ask(
        &self,
        name: &str,
        query: &Query,
        answer: impl Fn(&mut RunReader<Stored>) -> u64,
        expected: impl Fn(u64) -> u64,
    ) {
        let mut best = f64::MAX;
        let mut found = 0;
        for _ in 0..TIMES {
            let pages = self.pages.clone();
            let started = Instant::now();
            let mut run = RunReader::open(&self.header, None, pages).unwrap();
            found = black_box(answer(&mut run));
            best = best.min(started.elapsed().as_secs_f64());
        }
        assert_eq!(found, expected(self.matching(query).count() as u64), "{name}");
        println!("| {name} | {found} | {:.3} |", best * 1e3);
    }
}

/// Events of a month, with types of 60, 30 and 10 %, 5 % failures, 100,000 users of whom some are busy, 300 pages.
fn events_of(count: u64) -> Vec<IndexedEvent> {
    let start = DateTime::from_timestamp_micros(1_767_225_600_000_000).unwrap();
    let mut state = 0x9e37_79b9_7f4a_7c15_u64;
    let mut random = move |below: u64| {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        state % below
    };
    (0..count)
        .map(|seq| {
            let kind = match random(10) {
                0..6 => 1,
                6..9 => 2,
                _ => 3,
            };
            let number = |value: u64| u32::try_from(value).unwrap();
            let user = 1 + random(100_000).min(random(100_000)).min(random(100_000));
            IndexedEvent {
                seq: seq.cast_signed(),
                occurred_at: start + TimeDelta::microseconds((MONTH / count * seq + random(1_000)).cast_signed()),
                tenant_id: if random(500) == 0 { TenantId::SYSTEM } else { TenantId::NONE },
                env: EnvId(1),
                kind,
                outcome: if random(20) == 0 { Outcome::Failure } else { Outcome::Success },
                user: Some(number(user)),
                source: Some(number(1 + random(20_000))),
                page: Some(number(1 + random(300).min(random(300)))),
                other_page: None,
                session: None,
                target_type: None,
                target_id: None,
            }
        })
        .collect()
}
