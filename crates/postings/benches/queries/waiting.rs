//! Times questions about 25,000 events that wait in deltas.

use std::collections::BTreeSet;
use std::hint::black_box;
use std::time::Instant;

use chrono::TimeDelta;
use trailkeeper_domain::Result;
use trailkeeper_domain::id::TenantId;
use trailkeeper_domain::indexed_event::IndexedEvent;
use trailkeeper_domain::time::Timestamp;
use trailkeeper_postings::delta::{Delta, encode};
use trailkeeper_postings::dimension::{Column, Dimension};
use trailkeeper_postings::query::{Condition, Query, Segments, Sources, Span, Waiting};
use trailkeeper_postings::segment::Segment;
use uuid::Uuid;

/// The number of waiting events.
const EVENTS: usize = 25_000;
/// The number of tenants with such events.
const TENANTS: i64 = 200;

/// Encoded deltas, and no runs.
struct Deltas<'p> {
    payloads: &'p [Vec<u8>],
    tenant: Option<TenantId>,
}

impl Segments for Deltas<'_> {
    fn spans(&self) -> Vec<Span> {
        Vec::new()
    }

    fn open(&mut self, _index: usize, _work: &mut dyn FnMut(&mut dyn Segment) -> Result<()>) -> Result<()> {
        unreachable!("there are no segments")
    }

    fn waiting(&mut self, query: &Query, each: &mut dyn FnMut(&Waiting<'_>) -> Result<()>) -> Result<()> {
        for (number, payload) in (1..).zip(self.payloads) {
            let delta = Delta::read(payload).unwrap();
            if let Some(waiting) = Waiting::of(&delta, number, self.tenant, query) {
                each(&waiting)?;
            }
        }
        Ok(())
    }
}

/// Answers a query by one number.
type Ask = fn(&mut Sources<'_>, &Query) -> u64;

/// A name, a query, the only tenant, and how it is answered.
type Question = (&'static str, Query, Option<TenantId>, Ask);

fn tenant(number: i64) -> TenantId {
    TenantId(Uuid::from_u128(u128::from(1 + (number % TENANTS).unsigned_abs())))
}

fn newest(sources: &mut Sources<'_>, query: &Query) -> u64 {
    sources.newest(query, None, 50).unwrap().len() as u64
}

fn all_columns(sources: &mut Sources<'_>, query: &Query) -> u64 {
    let mut found = 0;
    sources
        .columns(query, &mut |_| {
            found += 1;
            Ok(())
        })
        .unwrap();
    found
}

/// The events in 720 parts of the range of the query.
fn in_parts(sources: &mut Sources<'_>, query: &Query) -> u64 {
    let (from, until) = (query.from.unwrap(), query.until.unwrap());
    let edges: Vec<Timestamp> = (0..=720).map(|part| from + (until - from) / 720 * part).collect();
    sources.histogram(query, &edges).unwrap().iter().sum()
}

fn questions(events: &[IndexedEvent]) -> Vec<Question> {
    let (first, last) = (events[0].occurred_at, events[events.len() - 1].occurred_at);
    let everything = || Query::of(Condition::everything());
    let user = || Condition::is(Dimension::User, events[events.len() / 2].user.unwrap());
    let failures =
        || Query::of(Condition::All(vec![Condition::is(Dimension::Kind, 1), Condition::is(Dimension::Outcome, 1)]));
    let customers = || Query::of(Condition::negated(Condition::is(Dimension::System, 1)));
    let of_tenant = Some(tenant(7));
    vec![
        ("newest 50 of everything", everything(), None, newest),
        ("newest 50 of customers", customers(), None, newest),
        ("newest 50 of a tenant", everything(), of_tenant, newest),
        ("newest 50 of a user", Query::of(user()), None, newest),
        ("newest 50 of a user of a tenant", Query::of(user()), of_tenant, newest),
        ("newest 50 of an unknown user", Query::of(Condition::is(Dimension::User, u32::MAX)), None, newest),
        ("newest 50 of all but a user", Query::of(Condition::negated(user())), None, newest),
        ("newest 50 of a type and failures", failures(), None, newest),
        ("count of a type and failures", failures(), None, |sources, query| sources.count(query).unwrap()),
        ("histogram of 720", everything().between(first, last + TimeDelta::seconds(720)), None, in_parts),
        ("distinct users", everything(), None, |sources, query| sources.distinct(query, Column::User).unwrap().len()),
        (
            "columns of a twelfth of the time",
            customers().between(first, first + (last - first) / 12),
            None,
            all_columns,
        ),
    ]
}

/// The number that a scan of the events gives.
fn expected(events: &[IndexedEvent], (name, query, tenant, _): &Question) -> u64 {
    let of_tenant = events.iter().filter(|event| tenant.is_none_or(|tenant| event.tenant_id == tenant));
    let matching = of_tenant.filter(|event| query.matches(event));
    let found = if name.starts_with("distinct") {
        matching.filter_map(|event| event.user).collect::<BTreeSet<_>>().len()
    } else if name.starts_with("newest") {
        matching.count().min(50)
    } else {
        matching.count()
    };
    found as u64
}

/// Prints the best times of some questions. Every answer is compared with a scan of the events.
pub fn run(events: &[IndexedEvent], times: usize) {
    let of_tenants = events.iter().take(EVENTS).map(|event| match event.tenant_id {
        TenantId::SYSTEM => *event,
        _ => IndexedEvent { tenant_id: tenant(event.seq * 7), ..*event },
    });
    let events: Vec<IndexedEvent> = of_tenants.collect();
    println!("\n| {EVENTS} waiting events | deltas of 32, ms | of 1,000, ms |\n|---|---|---|");
    let sizes = [32, 1_000].map(|size| events.chunks(size).map(encode).collect::<Vec<_>>());
    for question in questions(&events) {
        let expected = expected(&events, &question);
        let (name, query, tenant, ask) = question;
        let best = sizes.each_ref().map(|payloads| {
            let mut best = f64::MAX;
            for _ in 0..times {
                let mut deltas = Deltas { payloads, tenant };
                let started = Instant::now();
                let found = black_box(ask(&mut Sources::new(&mut deltas), &query));
                best = best.min(started.elapsed().as_secs_f64());
                assert_eq!(found, expected, "{name}");
            }
            format!("{:.3}", best * 1e3)
        });
        println!("| {name} | {} |", best.join(" | "));
    }
    let bytes = sizes.map(|payloads| payloads.iter().map(Vec::len).sum::<usize>().to_string());
    println!("| bytes of the deltas | {} |", bytes.join(" | "));
}
