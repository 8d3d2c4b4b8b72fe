//! The format of deltas.
#![expect(clippy::unwrap_used, reason = "a test that cannot go on should say where")]

use std::collections::{BTreeMap, BTreeSet};

use chrono::DateTime;
use proptest::collection::vec;
use proptest::option;
use proptest::prelude::*;
use trailkeeper_domain::event::Outcome;
use trailkeeper_domain::hex;
use trailkeeper_domain::id::{EnvId, TenantId};
use trailkeeper_domain::indexed_event::IndexedEvent;
use trailkeeper_domain::time::Timestamp;
use trailkeeper_postings::bits::{ByteError, ByteFlaw, put_number, seal};
use trailkeeper_postings::delta::{Counted, Delta, encode, put_numbers, read_numbers};
use trailkeeper_postings::dimension::{Column, Dimension};
use trailkeeper_postings::query::{Condition, Query, Waiting};
use uuid::Uuid;

fn at(micros: i64) -> Timestamp {
    DateTime::from_timestamp_micros(micros).unwrap()
}

fn tenant(number: u128) -> TenantId {
    TenantId(Uuid::from_u128(number))
}

/// A page view without anything optional.
fn plain(seq: i64, tenant_id: TenantId) -> IndexedEvent {
    IndexedEvent {
        seq,
        occurred_at: at(1_764_547_200_123_000 + seq * 1_000),
        tenant_id,
        env: EnvId(1),
        kind: 4,
        outcome: Outcome::Success,
        user: None,
        source: None,
        page: None,
        other_page: None,
        session: None,
        target_type: None,
        target_id: None,
    }
}

fn tenants() -> impl Strategy<Value = TenantId> {
    prop_oneof![
        Just(TenantId::SYSTEM),
        Just(TenantId::NONE),
        (1_u128..5).prop_map(tenant),
        any::<u128>().prop_map(tenant)
    ]
}

fn field() -> impl Strategy<Value = Option<u32>> {
    prop_oneof![Just(None), option::of(1_u32..40), option::of(any::<u32>())]
}

fn times() -> impl Strategy<Value = i64> {
    prop_oneof![
        1_764_547_200_000_000_i64..1_764_547_201_000_000,
        (0_i64..100_000).prop_map(|seconds| 1_764_547_200_000_000 + seconds * 1_000_000),
        0_i64..253_402_300_799_999_999
    ]
}

prop_compose! {
    fn event()(
        tenant_id in tenants(),
        micros in times(),
        (env, kind) in (prop_oneof![Just(1_u32), any::<u32>()], 1_u32..9),
        outcome in prop::sample::select(Outcome::ALL.to_vec()),
        (user, source, page) in (field(), field(), field()),
        (other_page, session, target_type, target_id) in (field(), field(), field(), field()),
    ) -> IndexedEvent {
        let occurred_at = at(micros);
        IndexedEvent {
            seq: 0, occurred_at, tenant_id, env: EnvId(env), kind, outcome, user, source, page, other_page, session,
            target_type, target_id,
        }
    }
}

prop_compose! {
    /// Events with distinct numbers, in any order.
    fn events()(
        events in vec(event(), 1..60),
        first in prop_oneof![1_i64..1_000, Just(i64::MAX - 200)],
        gaps in vec(1_i64..3, 60),
    ) -> Vec<IndexedEvent> {
        let mut seq = first;
        let number = |(event, gap): (IndexedEvent, i64)| {
            seq += gap;
            IndexedEvent { seq, ..event }
        };
        let mut events: Vec<IndexedEvent> = events.into_iter().zip(gaps).map(number).collect();
        events.sort_unstable_by_key(|event| (event.kind, event.user, event.seq));
        events
    }
}

fn by_tenant(events: &[IndexedEvent]) -> BTreeMap<TenantId, Vec<IndexedEvent>> {
    let mut apart: BTreeMap<TenantId, Vec<IndexedEvent>> = BTreeMap::new();
    for event in events {
        apart.entry(event.tenant_id).or_default().push(*event);
    }
    for events in apart.values_mut() {
        events.sort_unstable_by_key(|event| event.seq);
    }
    apart
}

fn all_of(delta: &Delta<'_>) -> Result<Vec<IndexedEvent>, ByteError> {
    delta.sections().flat_map(|section| section.events()).collect()
}

proptest! {
    #[test]
    fn events_are_read_as_written(events in events()) {
        let payload = encode(&events);
        let delta = Delta::read(&payload).unwrap();
        let apart = by_tenant(&events);
        prop_assert_eq!(delta.len(), events.len());
        prop_assert_eq!(delta.tenants().collect::<Vec<_>>(), apart.keys().copied().collect::<Vec<_>>());
        prop_assert_eq!(all_of(&delta).unwrap(), apart.values().flatten().copied().collect::<Vec<_>>());
        for (tenant, events) in &apart {
            let section = delta.section(*tenant).unwrap();
            prop_assert_eq!((section.tenant_id(), section.len()), (*tenant, events.len()));
            prop_assert_eq!(section.is_system(), *tenant == TenantId::SYSTEM);
            prop_assert_eq!(&section.events().collect::<Result<Vec<_>, _>>().unwrap(), events);
        }
        prop_assert!(delta.section(tenant(77)).is_none());
    }

    #[test]
    fn only_the_wanted_columns_are_read(events in events(), wanted in prop::sample::subsequence(
        vec![Column::Env, Column::Kind, Column::Outcome, Column::User, Column::Source, Column::Page], 0..=6)
    ) {
        let payload = encode(&events);
        let delta = Delta::read(&payload).unwrap();
        let has = |column| wanted.contains(&column);
        for (tenant, events) in by_tenant(&events) {
            let expected: Vec<Counted> = events.iter().map(|event| Counted {
                micros: event.occurred_at.timestamp_micros(),
                env: if has(Column::Env) { event.env } else { EnvId(0) },
                kind: if has(Column::Kind) { event.kind } else { 0 },
                outcome: if has(Column::Outcome) { event.outcome } else { Outcome::Success },
                user: event.user.filter(|_| has(Column::User)),
                source: event.source.filter(|_| has(Column::Source)),
                page: event.page.filter(|_| has(Column::Page)),
            }).collect();
            let counted: Result<Vec<Counted>, _> = delta.section(tenant).unwrap().counted(&wanted).collect();
            prop_assert_eq!(counted.unwrap(), expected);
        }
    }

    #[test]
    fn the_order_of_events_does_not_matter(events in events(), rotation in 0_usize..60) {
        let mut rotated = events.clone();
        rotated.rotate_left(rotation % events.len());
        prop_assert_eq!(encode(&rotated), encode(&events));
    }

    #[test]
    fn damaged_deltas_are_errors(events in events(), bit in any::<prop::sample::Index>(), more: u8) {
        let payload = encode(&events);
        for length in 0..payload.len() {
            prop_assert!(Delta::read(&payload[..length]).is_err());
        }
        let mut flipped = payload.clone();
        let bit = bit.index(payload.len() * 8);
        flipped[bit / 8] ^= 1 << (bit % 8);
        prop_assert!(Delta::read(&flipped).is_err());
        prop_assert!(Delta::read(&[payload.as_slice(), &[more]].concat()).is_err());
    }

    /// Right checksums over anything: a reader returns events or an error, and not many more events than there are bits.
    #[test]
    fn forged_deltas_neither_panic_nor_fill_memory(
        events in events(),
        changes in vec((any::<prop::sample::Index>(), any::<u8>()), 0..6),
        cut in any::<prop::sample::Index>(),
        random in vec(any::<u8>(), 0..200),
    ) {
        let mut body = encode(&events);
        body.truncate(body.len() - 4);
        for (at, byte) in changes {
            let at = at.index(body.len());
            body[at] = byte;
        }
        body.truncate(cut.index(body.len() * 4).max(1).min(body.len()));
        for mut forged in [body, [vec![2], random].concat()] {
            seal(&mut forged);
            if let Ok(delta) = Delta::read(&forged) {
                prop_assert!(delta.len() <= forged.len() * 8);
                prop_assert_eq!(delta.sections().map(|section| section.len()).sum::<usize>(), delta.len());
                let query = Query {
                    condition: Condition::Or(vec![
                        Condition::Any(Dimension::User, vec![1, 2, 300]),
                        Condition::negated(Condition::is(Dimension::Source, 3)),
                    ]),
                    from: Some(at(5)),
                    until: None,
                };
                let waiting = Waiting::of(&delta, 1, None, &query);
                let found = waiting.as_ref().map_or(0, |waiting| waiting.columns().count());
                if let Ok(events) = all_of(&delta) {
                    prop_assert_eq!(found, events.iter().filter(|event| query.matches(event)).count());
                }
                for section in delta.sections() {
                    prop_assert_eq!(section.counted(&[Column::Outcome, Column::Page]).count(), section.len());
                }
            }
            let _either = read_numbers(&forged);
        }
    }

    #[test]
    fn lists_of_numbers_are_read_as_written(numbers in prop::collection::btree_set(any::<i64>(), 0..50), bit: u16) {
        let list: Vec<i64> = numbers.iter().copied().collect();
        let mut payload = put_numbers(&list);
        prop_assert_eq!(read_numbers(&payload).unwrap().into_iter().collect::<BTreeSet<_>>(), numbers);
        let bit = usize::from(bit) % (payload.len() * 8);
        payload[bit / 8] ^= 1 << (bit % 8);
        prop_assert!(read_numbers(&payload).is_err());
    }
}

/// The example of `docs/sheets.md`.
#[test]
fn the_bytes_of_a_small_delta() {
    let first = IndexedEvent { user: Some(7), page: Some(2), ..plain(41, tenant(1)) };
    let second = IndexedEvent { user: Some(9), outcome: Outcome::Failure, ..plain(42, tenant(1)) };
    let other = IndexedEvent { user: Some(7), session: Some(0xaabb_ccdd), ..plain(43, TenantId::SYSTEM) };
    let payload = encode(&[first, second, other]);
    let hex = hex::encode(&payload);
    let expected = [
        "02",                               // version
        "03",                               // events
        "02",                               // tenants
        "00000000000000000000000000000001", // the first one
        "ffffffffffffffffffffffffffffffff", // the system tenant
        "010101",                           // counts: 1 + one bit each, 1 and 0
        "290224",                           // numbers: 41 + two bits each, 0, 1, 2
        "01",                               // times in milliseconds
        "a489d6b9ad330224",                 // the first + two bits each, 0, 1, 2
        "ae01",                             // columns: types, outcomes, users, pages, sessions
        "000400",                           // types: dense, all 4
        "00000102",                         // outcomes: dense, 0 + one bit each, 0, 1, 0
        "00070208",                         // users: dense, 7 + two bits each, 0, 2, 0
        "01010200",                         // pages: sparse, the first event; all 2
        "0104dd99efd50a00",                 // sessions: sparse, the third event; all 0xaabbccdd
    ]
    .concat();
    assert_eq!(&hex[..hex.len() - 8], expected);
    assert_eq!(all_of(&Delta::read(&payload).unwrap()).unwrap(), [first, second, other]);
}

#[test]
fn flaws_are_named() {
    let flaw = |payload: &[u8]| Delta::read(payload).map(|_| ()).unwrap_err();
    assert_eq!(flaw(&[]), ByteError { offset: 0, flaw: ByteFlaw::Truncated });
    assert_eq!(flaw(&[3, 1, 2]), ByteError { offset: 0, flaw: ByteFlaw::UnknownVersion(3) });
    let mut payload = encode(&[plain(1, tenant(1))]);
    payload[5] ^= 1;
    assert_eq!(flaw(&payload).flaw, ByteFlaw::Checksum);
    // A million equal events that would take no bytes.
    let mut bomb = vec![2];
    put_number(&mut bomb, 1_000_000);
    bomb.extend([1; 17]);
    bomb.resize(200_000, 0);
    seal(&mut bomb);
    assert_eq!(flaw(&bomb).flaw, ByteFlaw::Length(1_000_000));
}

/// A batch like those of the benchmark: users, sources and pages of a busy product, times of one second.
fn busy(events: u32, tenants: u32, sessions: bool) -> Vec<IndexedEvent> {
    let mut state = 1_u32;
    let mut below = |bound: u32| {
        state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        (state >> 8) % bound
    };
    (0..events)
        .map(|nth| IndexedEvent {
            occurred_at: at(1_764_547_200_000_000 + i64::from(below(1_000_000))),
            kind: 1 + below(6),
            user: Some(1 + below(100_000)),
            source: Some(1 + below(60_000)),
            page: Some(2 + below(300)),
            session: sessions.then(|| below(1 << 24) << 8 | below(256)),
            ..plain(5_000_000 + i64::from(nth), tenant(u128::from(below(tenants)) << 64 | 1))
        })
        .collect()
}

#[test]
fn deltas_are_small() {
    let full = IndexedEvent {
        user: Some(90_000),
        source: Some(50_000),
        page: Some(300),
        session: Some(u32::MAX),
        occurred_at: at(1_764_547_200_123_456),
        ..plain(5_000_000, tenant(u128::MAX / 3))
    };
    assert_eq!(encode(&[full]).len(), 64);
    let per_event = |events: &[IndexedEvent]| encode(events).len() / events.len();
    assert!(per_event(&busy(1_000, 200, true)) < 20, "{}", per_event(&busy(1_000, 200, true)));
    assert!(per_event(&busy(20_000, 500, false)) < 14, "{}", per_event(&busy(20_000, 500, false)));
}
