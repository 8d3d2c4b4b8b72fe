//! The format on disk: an encoded sheet is decoded, a damaged payload is rejected.

use proptest::prelude::*;
use trailkeeper_analytics::sheet::{Fact, Flaw, ScopeKind, Sheet};

use super::facts::{histories, scopes};

proptest! {
    #![proptest_config(ProptestConfig::with_cases(96))]

    #[test]
    fn an_encoded_sheet_is_decoded(scope in scopes(), facts in histories()) {
        let sheet = Sheet::of(scope, &facts);
        prop_assert_eq!(Sheet::decode(&sheet.encode()), Ok(sheet));
    }

    #[test]
    fn equal_sheets_have_equal_payloads(facts in histories()) {
        let reversed = Sheet::of(ScopeKind::Tenant, facts.iter().rev());
        prop_assert_eq!(reversed.encode(), Sheet::of(ScopeKind::Tenant, &facts).encode());
    }

    #[test]
    fn every_truncation_is_rejected(facts in histories()) {
        let payload = Sheet::of(ScopeKind::Tenant, &facts).encode();
        for length in 0..payload.len() {
            let error = Sheet::decode(&payload[..length]).unwrap_err();
            prop_assert!(error.offset <= length, "{}", error);
        }
    }

    #[test]
    fn every_flipped_bit_is_rejected(facts in histories(), at in any::<prop::sample::Index>(), bit in 0_u32..8) {
        let mut payload = Sheet::of(ScopeKind::Tenant, &facts).encode();
        let at = at.index(payload.len());
        payload[at] ^= 1 << bit;
        prop_assert!(Sheet::decode(&payload).is_err());
    }

    #[test]
    fn noise_is_rejected(noise in proptest::collection::vec(any::<u8>(), 0..100)) {
        prop_assert!(Sheet::decode(&noise).is_err());
    }
}

#[test]
fn the_format_of_version_1_stays_as_it_is() {
    let fact = Fact {
        page: Some(300),
        env: 1,
        kind: 2,
        userinfo: false,
        login: None,
        failed: false,
        user: None,
        source: None,
    };
    let users = [Some(5), Some(1_000), Some(1_003), Some(1_000), None];
    let facts: Vec<Fact> = users.into_iter().map(|user| Fact { user, ..fact }).collect();
    let payload = Sheet::of(ScopeKind::Tenant, &facts).encode();
    let body = [
        vec![1],
        // Views: 1 cell in 8 bytes; page 300; three ids as a list, two more events than ids; the gaps are 5, 994 and 2.
        vec![1, 1, 8, 0xac, 0x02, 3 << 3 | 4, 1, 5, 0xe2, 0x07, 2],
        // All views: a reference to the set whose head lies 6 bytes before this facet.
        vec![2, 3 << 3 | 4 | 3, 1, 6],
        // Active in environment 1: one more event than ids; the head lies 4 bytes further back.
        vec![3, 1, 4, 1, 3 << 3 | 4 | 3, 0, 10],
        vec![4, 3 << 3 | 4 | 3, 0, 17],
        vec![5, 1, 4, 2, 3 << 3 | 4 | 3, 1, 21],
    ];
    assert_eq!(payload[..payload.len() - 4], body.concat());
    assert_eq!(payload[payload.len() - 4..], [153, 217, 96, 160]);
}

#[test]
fn an_error_names_the_flaw_and_its_offset() {
    let flaw = |payload: &[u8]| Sheet::decode(payload).unwrap_err().flaw;
    assert_eq!(flaw(&[]), Flaw::Truncated);
    assert_eq!(flaw(&[1, 0, 0]), Flaw::Truncated);
    assert_eq!(flaw(&[9, 0, 0, 0, 0, 0]), Flaw::UnknownVersion(9));
    let error = Sheet::decode(&[1, 0, 0, 0, 0]).unwrap_err();
    assert_eq!(
        error.to_string(),
        "the sheet's payload is unreadable at byte 1: the checksum differs from its bytes; rebuild the sheet from its events"
    );
}
