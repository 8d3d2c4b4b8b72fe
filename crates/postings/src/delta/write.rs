//! Encodes deltas.

use trailkeeper_domain::id::TenantId;
use trailkeeper_domain::indexed_event::IndexedEvent;

use super::column::{COLUMNS, put_values, usual};
use super::format::VERSION;
use super::times::put_times;
use crate::bits::{put_framed, put_number, seal};
use crate::value::value_of;

/// The delta of these events, in any order. They have distinct numbers, and there is at least one.
pub fn encode(events: &[IndexedEvent]) -> Vec<u8> {
    let mut events: Vec<&IndexedEvent> = events.iter().collect();
    events.sort_unstable_by_key(|event| (event.tenant_id, event.seq));
    let sections: Vec<&[&IndexedEvent]> = events.chunk_by(|one, other| one.tenant_id == other.tenant_id).collect();

    let mut out = Vec::with_capacity(64 + 24 * events.len());
    out.push(VERSION);
    put_number(&mut out, events.len() as u64);
    put_number(&mut out, sections.len() as u64);
    for section in &sections {
        out.extend_from_slice(tenant_of(section).0.as_bytes());
    }
    if sections.len() > 1 {
        put_framed(&mut out, &sections.iter().map(|section| section.len() as u64).collect::<Vec<_>>());
    }
    put_framed(&mut out, &numbers(&events, |event| event.seq));
    put_times(&mut out, &numbers(&events, |event| event.occurred_at.timestamp_micros()));
    put_columns(&mut out, &events);
    seal(&mut out);
    out
}

fn tenant_of(section: &[&IndexedEvent]) -> TenantId {
    section.first().map_or(TenantId::NONE, |event| event.tenant_id)
}

/// Signed numbers as they are written. Negative ones do not occur, and would take more bytes.
fn numbers(events: &[&IndexedEvent], of: impl Fn(&IndexedEvent) -> i64) -> Vec<u64> {
    events.iter().map(|event| of(event).cast_unsigned()).collect()
}

fn put_columns(out: &mut Vec<u8>, events: &[&IndexedEvent]) {
    let columns: Vec<(usize, Vec<Option<u32>>)> = COLUMNS
        .into_iter()
        .map(|column| (column, events.iter().map(|event| value_of(event, column)).collect::<Vec<_>>()))
        .enumerate()
        .filter(|(_, (column, values))| values.iter().any(|value| *value != usual(*column)))
        .map(|(bit, (_, values))| (bit, values))
        .collect();
    put_number(out, columns.iter().map(|(bit, _)| 1 << bit).sum());
    for (_, values) in &columns {
        put_values(out, values);
    }
}
