//! The encoding of deltas, and the deltas of a batch.

use std::collections::{BTreeMap, BTreeSet};

use chrono::{DateTime, TimeDelta};
use proptest::collection::{btree_map, vec};
use proptest::option;
use proptest::prelude::*;
use trailkeeper_analytics::engine::{Summary, delta};
use trailkeeper_analytics::sheet::{Fact, ScopeKind, Sheet};
use trailkeeper_domain::Result;
use trailkeeper_domain::event::Outcome;
use trailkeeper_domain::fact::EventFact;
use trailkeeper_domain::id::{EnvId, TenantId};
use trailkeeper_domain::ports::{NewDelta, Summarizer};
use trailkeeper_domain::scope::Scope;
use trailkeeper_domain::time::Timestamp;
use uuid::Uuid;

use super::facts::histories;

/// A page load: its type has the id 4 in every database.
const PAGE_LOAD: u32 = 4;

/// Hours of the present, some of them adjacent, and hours far before and after it.
fn hours() -> impl Strategy<Value = i64> {
    prop_oneof![6 => 498_600_i64..498_640, 1 => -1_000_000_i64..1_000_000, 1 => 0_i64..70_000_000]
}

fn deltas() -> impl Strategy<Value = BTreeMap<i64, Sheet>> {
    let sheet = histories().prop_map(|facts| Sheet::of(ScopeKind::Tenant, &facts));
    btree_map(hours(), sheet, 0..4)
}

fn decoded(payload: &[u8]) -> Result<BTreeMap<i64, Sheet>> {
    let mut hours = BTreeMap::new();
    delta::walk(payload, |start, sheet| {
        let sheet = Sheet::decode(sheet).map_err(trailkeeper_domain::Error::internal)?;
        assert_eq!(start, DateTime::from_timestamp(delta::hour_number(start) * 3_600, 0).unwrap());
        assert!(hours.last_key_value().is_none_or(|(last, _)| *last < delta::hour_number(start)), "hours ascend");
        hours.insert(delta::hour_number(start), sheet);
        Ok(())
    })?;
    Ok(hours)
}

fn event_facts() -> impl Strategy<Value = Vec<EventFact>> {
    let when = (0_i64..3, 0_i64..3_600_000_000).prop_map(|(hour, micros)| {
        DateTime::from_timestamp(1_790_000_000 / 3_600 * 3_600, 0).unwrap()
            + TimeDelta::hours(hour)
            + TimeDelta::microseconds(micros)
    });
    let names = (0_u128..4, 1_u32..3, option::of(1_u32..9), option::of(1_u32..5));
    let what = (option::of(1_u32..5), 1_u32..9, prop::sample::select(Outcome::ALL.to_vec()));
    let fact = (when, names, what).prop_map(|(occurred_at, (tenant, env, user, source), (page, kind, outcome))| {
        let tenant_id = TenantId(Uuid::from_u128(tenant));
        EventFact { occurred_at, tenant_id, env: EnvId(env), page, kind, outcome, user, source }
    });
    vec(fact, 0..60)
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn an_encoded_delta_is_decoded(hours in deltas()) {
        prop_assert_eq!(decoded(&delta::encode(&hours)).unwrap(), hours);
    }

    #[test]
    fn every_truncation_is_rejected_before_the_first_hour(hours in deltas()) {
        let payload = delta::encode(&hours);
        for length in 0..payload.len() {
            let mut shown = 0;
            let walked = delta::walk(&payload[..length], |_, _| {
                shown += 1;
                Ok(())
            });
            prop_assert!(walked.is_err() && shown == 0, "{} of {} bytes", length, payload.len());
        }
    }

    #[test]
    fn every_flipped_bit_and_every_appended_byte_is_rejected(hours in deltas(), more: u8) {
        let payload = delta::encode(&hours);
        // The whole list of hours and the start of the sheets; the tests of payloads flip bits of sheets.
        for at in 0..payload.len().min(200) {
            for bit in 0..8 {
                let mut flipped = payload.clone();
                flipped[at] ^= 1 << bit;
                prop_assert!(decoded(&flipped).is_err(), "bit {} of byte {}", bit, at);
            }
        }
        prop_assert!(decoded(&[payload, vec![more]].concat()).is_err());
    }

    #[test]
    fn noise_is_rejected(noise in vec(any::<u8>(), 0..40)) {
        prop_assert!(decoded(&noise).is_err());
        prop_assert!(decoded(&[vec![1], noise].concat()).is_err());
    }

    #[test]
    fn a_batch_has_one_delta_per_scope_and_one_sheet_per_hour(facts in event_facts(), turned in any::<prop::sample::Index>()) {
        let deltas = Summary.deltas(&facts);
        let scopes: Vec<Scope> = deltas.iter().map(|delta| delta.scope).collect();
        let tenants: BTreeSet<TenantId> = facts.iter().map(|fact| fact.tenant_id).collect();
        let everyone = (!facts.is_empty()).then_some(Scope::Everyone);
        prop_assert_eq!(scopes, everyone.into_iter().chain(tenants.into_iter().map(Scope::Tenant)).collect::<Vec<_>>());

        for NewDelta { scope, payload } in &deltas {
            let mut expected: BTreeMap<i64, Vec<Fact>> = BTreeMap::new();
            for fact in facts.iter().filter(|fact| [Scope::Everyone, Scope::Tenant(fact.tenant_id)].contains(scope)) {
                expected.entry(delta::hour_number(fact.occurred_at)).or_default().push(Fact::from(fact));
            }
            let expected: BTreeMap<i64, Sheet> =
                expected.into_iter().map(|(hour, facts)| (hour, Sheet::of(scope.kind(), &facts))).collect();
            prop_assert_eq!(decoded(payload).unwrap(), expected);
        }

        let mut rotated = facts.clone();
        rotated.rotate_left(turned.index(facts.len().max(1)));
        prop_assert_eq!(Summary.deltas(&rotated), deltas);
    }
}

fn page_load(at: Timestamp, user: u32) -> EventFact {
    EventFact {
        occurred_at: at,
        tenant_id: TenantId::NONE,
        env: EnvId(1),
        page: Some(300),
        kind: PAGE_LOAD,
        outcome: Outcome::Success,
        user: Some(user),
        source: Some(1_000),
    }
}

#[test]
fn a_single_event_is_small() {
    let at = DateTime::from_timestamp(1_790_000_000, 0).unwrap();
    let deltas = Summary.deltas(&[page_load(at, 90_000)]);
    let lengths: Vec<usize> = deltas.iter().map(|delta| delta.payload.len()).collect();
    assert_eq!(lengths, [42, 50], "everyone and the tenant");
}

#[test]
fn the_format_of_version_1_stays_as_it_is() {
    let at = DateTime::from_timestamp(1_790_000_000, 0).unwrap();
    let sheet = Sheet::of(ScopeKind::Tenant, [&Fact::from(&page_load(at, 5))]);
    let first = delta::hour_number(at);
    let payload = delta::encode(&BTreeMap::from([(first, sheet.clone()), (first + 2, sheet.clone())]));
    // Twice the hour 497,222; one hour between; 30 bytes for each sheet.
    let list = [1, 2, 0x8c, 0xd9, 0x3c, 30, 1, 30];
    assert_eq!(payload[..list.len()], list);
    assert_eq!(payload[list.len()..list.len() + 4], [40, 152, 19, 109]);
    assert_eq!(payload[list.len() + 4..], [sheet.encode(), sheet.encode()].concat());
}

#[test]
fn forged_lists_are_rejected_before_memory_is_allocated() {
    let error = |payload: &[u8]| delta::walk(payload, |_, _| Ok(())).unwrap_err().chain().to_string();
    let many = [&[1, 0xff, 0xff, 0xff, 0xff, 0x0f][..], &[0; 20]].concat();
    assert_eq!(
        error(&many),
        "internal error: the delta's payload is unreadable at byte 1: 4294967295 is more than the bytes after it can contain"
    );
    assert_eq!(
        error(&[2, 0, 0, 0, 0, 0]),
        "internal error: the delta's payload is unreadable at byte 0: version 2 is unknown; a newer program wrote it, use that one"
    );
}
