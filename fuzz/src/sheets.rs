//! Sheets from arbitrary bytes, and the invariants of every payload.

use trailkeeper_analytics::sheet::{Cell, CellKey, Facet, Fact, Fold, Folded, Heads, ScopeKind, Sheet};

/// The checksum that `docs/sheets.md` defines, in a second implementation.
pub fn checksum(bytes: &[u8]) -> [u8; 4] {
    let mut state = 0x517c_c1b7_2722_0a95 ^ bytes.len() as u64;
    let mut padded = bytes.to_vec();
    padded.resize(bytes.len() / 8 * 8 + 8, 0);
    for word in padded.chunks(8) {
        let word = u64::from_le_bytes(word.try_into().expect("eight bytes"));
        let mixed = (state ^ word).wrapping_mul(0x9e37_79b9_7f4a_7c15);
        state = mixed ^ (mixed >> 32);
    }
    (state as u32).to_le_bytes()
}

/// The bytes, followed by their checksum. Without the right checksum, damaged bytes would never reach the code behind
/// its check.
pub fn sealed(body: &[u8]) -> Vec<u8> {
    [body, &checksum(body)].concat()
}

/// A sheet with one fact for each eight bytes.
pub fn sheet(scope: ScopeKind, bytes: &[u8]) -> Sheet {
    let facts: Vec<Fact> = bytes.as_chunks::<8>().0.iter().map(fact).collect();
    Sheet::of(scope, &facts)
}

fn fact(bytes: &[u8; 8]) -> Fact {
    let [flags, page, env, kind, a, b, c, d] = *bytes;
    // Ids close to each other make dense sets, and ids far apart make sparse sets.
    let user = u32::from_le_bytes(if flags & 64 == 0 { [a, b, 0, 0] } else { [a, b, c, d] });
    Fact {
        page: (flags & 1 != 0).then_some(u32::from(page)),
        env: u32::from(env % 4),
        kind: u32::from(kind % 8),
        userinfo: flags & 2 != 0,
        login: (flags & 4 != 0).then_some(flags & 8 != 0),
        failed: flags & 16 != 0,
        user: (flags & 32 != 0).then_some(user),
        source: (flags & 128 != 0).then_some(u32::from(c)),
    }
}

/// Checks a payload, and returns its sheet. A payload either gives an error at an offset inside it (`None`), or a sheet
/// that keeps its invariants, could have been written, and has the same content for each of its readers.
pub fn survives(payload: &[u8]) -> Option<Sheet> {
    let sheet = match Sheet::decode(payload) {
        Ok(sheet) => sheet,
        Err(error) => {
            assert!(error.offset <= payload.len(), "{error}");
            return None;
        }
    };
    let ids: usize = sheet.cells().map(|(_, cell)| cell.set.len()).sum();
    assert!(ids <= payload.len() * 80, "{ids} ids from {} bytes", payload.len());
    for (key, cell) in sheet.cells() {
        assert!(cell.count > 0 && cell.count >= cell.set.len() as u64, "{key:?}");
        assert!(cell.set.as_slice().is_sorted_by(|a, b| a < b), "{key:?}");
    }
    assert_eq!(Sheet::decode(&sheet.encode()), Ok(sheet.clone()), "what is written is read");
    for facet in Facet::ALL {
        let expected: Vec<Folded> = sheet.cells().filter(|(key, _)| key.facet == facet).map(folded).collect();
        let mut fold = Fold::new(&[facet]);
        fold.add(payload).expect("what decodes folds");
        assert_eq!(fold.cells(facet), expected, "{facet:?}");
        assert_eq!(Heads::new(facet, None).read(payload).expect("what decodes has heads"), expected, "{facet:?}");
    }
    Some(sheet)
}

fn folded((key, cell): (CellKey, &Cell)) -> Folded {
    Folded { id: key.id, count: cell.count, distinct: cell.set.len() as u64 }
}
