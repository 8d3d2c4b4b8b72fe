//! Payloads of deltas: forged, damaged, and made by Trailkeeper itself.
#![no_main]

use std::collections::BTreeMap;

use chrono::DateTime;
use libfuzzer_sys::fuzz_target;
use trailkeeper_domain::event::Outcome;
use trailkeeper_domain::id::{EnvId, TenantId};
use trailkeeper_domain::indexed_event::IndexedEvent;
use trailkeeper_postings::bits::seal;
use trailkeeper_postings::delta::{Delta, encode, read_numbers};
use uuid::Uuid;

fuzz_target!(|data: &[u8]| {
    let _either = events_of(data);
    let mut forged = [&[2], data].concat();
    seal(&mut forged);
    let _either = events_of(&forged);
    let mut numbers = data.to_vec();
    seal(&mut numbers);
    let _either = read_numbers(&numbers);
    written(data);
});

/// The events of a payload; `None` if it is unreadable.
fn events_of(payload: &[u8]) -> Option<Vec<IndexedEvent>> {
    let delta = Delta::read(payload).ok()?;
    assert!(delta.len() <= payload.len() * 8, "an event takes at least a bit");
    assert!(delta.tenants().is_sorted_by(|one, other| one < other), "tenants ascend");
    let sections = delta.sections().map(|section| section.len());
    assert_eq!(sections.sum::<usize>(), delta.len());
    delta.sections().flat_map(|section| section.events()).collect::<Result<_, _>>().ok()
}

/// Encodes events and reads them again. Each takes sixteen bytes of the input.
fn written(bytes: &[u8]) {
    let (rows, _) = bytes.as_chunks::<16>();
    let mut events = BTreeMap::new();
    for (number, row) in rows.iter().enumerate() {
        let [tenant, env, kind, outcome, user, source, page, session, time @ ..] = *row;
        let field = |byte: u8| (byte > 40).then_some(u32::from(byte) << (byte % 25));
        let seq = i64::try_from(number).expect("few events") + 1;
        let tenant_id = TenantId(Uuid::from_u128(if tenant == 0 { u128::MAX } else { tenant.into() }));
        let micros = u64::from_le_bytes(time) % 250_000_000_000_000_000;
        let event = IndexedEvent {
            seq,
            occurred_at: DateTime::from_timestamp_micros(micros.cast_signed()).expect("before the year 9999"),
            tenant_id,
            env: EnvId(env.into()),
            kind: kind.into(),
            outcome: Outcome::ALL[usize::from(outcome) % 3],
            user: field(user),
            source: field(source),
            page: field(page),
            other_page: None,
            session: field(session),
            target_type: None,
            target_id: field(session),
        };
        events.insert((tenant_id, seq), event);
    }
    if !events.is_empty() {
        let events: Vec<IndexedEvent> = events.into_values().collect();
        assert_eq!(events_of(&encode(&events)), Some(events));
    }
}
