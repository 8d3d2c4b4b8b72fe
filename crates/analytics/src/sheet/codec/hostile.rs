//! Forged payloads with a right checksum: without it, the checksum would reject them before the code under test runs.

use proptest::collection::vec;
use proptest::prelude::*;
use trailkeeper_postings::bits::seal;

use super::decode;
use super::set::IDS_PER_BYTE;
use super::write::encode;
use crate::sheet::{Cell, CellKey, Facet, IdSet, Sheet};

fn sealed(mut body: Vec<u8>) -> Vec<u8> {
    seal(&mut body);
    body
}

fn sheets() -> impl Strategy<Value = Sheet> {
    let ids = prop_oneof![
        vec(any::<u32>(), 0..40),
        vec(0_u32..300, 0..250),
        vec(70_000_u32..72_000, 0..60),
        (0_u32..100_000, 0_u32..3_000).prop_map(|(first, len)| (first..first + len).collect()),
    ];
    vec((0..Facet::ALL.len(), 0_u64..20, 1_u64..50, ids), 0..12).prop_map(|cells| {
        let cells = cells.into_iter().map(|(facet, id, more, ids)| {
            let facet = Facet::ALL[facet];
            let set = IdSet::of(ids);
            (
                CellKey::new(facet, if facet.is_single() { 0 } else { id }),
                Cell { count: set.len() as u64 + more - 1, set },
            )
        });
        Sheet::of_cells(cells.filter(|(_, cell)| cell.count > 0))
    })
}

/// Checks that the result is an error at an offset inside the payload, or a sheet that keeps its invariants and encodes.
fn survives(payload: &[u8]) {
    match decode(payload) {
        Err(error) => assert!(error.offset <= payload.len(), "{error}"),
        Ok(sheet) => {
            let ids: usize = sheet.cells().map(|(_, cell)| cell.set.len()).sum();
            assert!(ids <= payload.len() * (IDS_PER_BYTE + 64), "{ids} ids from {} bytes", payload.len());
            for (key, cell) in sheet.cells() {
                assert!(cell.count > 0 && cell.count >= cell.set.len() as u64, "{key:?}");
                assert!(cell.set.as_slice().is_sorted_by(|a, b| a < b), "{key:?}");
            }
            assert_eq!(decode(&encode(&sheet)), Ok(sheet));
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(200))]

    #[test]
    fn an_encoded_sheet_is_decoded(sheet in sheets()) {
        prop_assert_eq!(decode(&encode(&sheet)), Ok(sheet));
    }

    #[test]
    fn a_sealed_truncation_survives(sheet in sheets()) {
        let payload = encode(&sheet);
        for length in 0..payload.len() - 4 {
            survives(&sealed(payload[..length].to_vec()));
        }
    }

    #[test]
    fn sealed_damage_survives(sheet in sheets(), damage in vec((any::<prop::sample::Index>(), any::<u8>()), 1..6)) {
        let mut body = encode(&sheet);
        body.truncate(body.len() - 4);
        for (at, byte) in damage {
            let at = at.index(body.len());
            body[at] = byte;
            survives(&sealed(body.clone()));
        }
    }

    #[test]
    fn sealed_noise_survives(noise in vec(any::<u8>(), 0..200)) {
        survives(&sealed([vec![1], noise].concat()));
    }

    #[test]
    fn the_same_set_is_written_once(ids in vec(any::<u32>(), 20..200)) {
        let set = IdSet::of(ids);
        let cell = Cell { count: set.len() as u64, set };
        let once = Sheet::of_cells([(CellKey::single(Facet::AllViews), cell.clone())]);
        let thrice = [Facet::AllViews, Facet::ActiveAll, Facet::Logins].map(|facet| (CellKey::single(facet), cell.clone()));
        prop_assert!(encode(&Sheet::of_cells(thrice)).len() <= encode(&once).len() + 10);
    }
}
