//! The rows of the baselines: events whose names are already replaced by numbers, which favours the baselines.

use std::collections::HashMap;
use std::hash::Hash;
use std::net::IpAddr;

use trailkeeper_domain::event::{Event, Outcome};
use trailkeeper_domain::fact::WELL_KNOWN_KINDS;
use trailkeeper_domain::page::PageRule;
use uuid::Uuid;

/// A row of `events`, without the columns that the workload leaves empty.
pub struct Row {
    /// Number of the tenant in SQLite.
    pub tenant_number: i32,
    pub tenant_id: Uuid,
    pub id: Uuid,
    pub env_id: i64,
    pub occurred_at: i64,
    pub received_at: i64,
    pub user_ref: Option<i32>,
    pub kind_ref: i32,
    pub outcome: i16,
    pub source_ref: Option<i32>,
    pub page_ref: Option<i32>,
}

/// The rows of the events, in the same order.
pub fn rows(events: &[Event]) -> Vec<Row> {
    // 0 and 1 are the system tenant and none; page 1 is `(other)`.
    let mut tenants = Numbers::<Uuid>::after(1);
    let (mut users, mut sources, mut pages) =
        (Numbers::<String>::after(0), Numbers::<IpAddr>::after(0), Numbers::<String>::after(1));
    events
        .iter()
        .map(|event| Row {
            tenant_number: tenants.of(event.tenant_id.0),
            tenant_id: event.tenant_id.0,
            id: event.id.0,
            env_id: event.env_id.0.into(),
            occurred_at: event.occurred_at.timestamp_micros(),
            received_at: event.received_at.timestamp_micros(),
            user_ref: event.user_id.as_ref().map(|user| users.of(user.to_string())),
            kind_ref: kind(event),
            outcome: match event.outcome {
                Outcome::Success => 0,
                Outcome::Failure => 1,
                Outcome::Unknown => 2,
            },
            source_ref: event.source.map(|source| sources.of(source)),
            page_ref: event.page.as_ref().map(|page| pages.of(page.key(&PageRule::default()))),
        })
        .collect()
}

fn kind(event: &Event) -> i32 {
    let at = WELL_KNOWN_KINDS.iter().position(|kind| *kind == event.kind.as_str()).unwrap();
    i32::try_from(at).unwrap() + 1
}

/// Numbers names without gaps, in order of first occurrence.
struct Numbers<K> {
    known: HashMap<K, i32>,
    last: i32,
}

impl<K: Hash + Eq> Numbers<K> {
    fn after(last: i32) -> Self {
        Self { known: HashMap::new(), last }
    }

    fn of(&mut self, name: K) -> i32 {
        *self.known.entry(name).or_insert_with(|| {
            self.last += 1;
            self.last
        })
    }
}
