//! A fold of encoded sheets equals the recount of all their events.

use std::collections::BTreeSet;

use proptest::collection::vec;
use proptest::prelude::*;
use proptest::sample::subsequence;
use trailkeeper_analytics::sheet::{CellKey, Facet, Fact, Fold, Folded, ScopeKind, Sheet};

use super::facts::{Recount, histories, recount, scopes};

fn folded(id: u64, (count, ids): &(u64, BTreeSet<u32>)) -> Folded {
    Folded { id, count: *count, distinct: ids.len() as u64 }
}

fn check(fold: &Fold, truth: &Recount, chosen: &[Facet]) -> Result<(), TestCaseError> {
    for facet in Facet::ALL {
        let known: Vec<_> = truth.iter().filter(|(key, _)| key.facet == facet && chosen.contains(&facet)).collect();
        let cells: Vec<Folded> = known.iter().map(|(key, cell)| folded(key.id, cell)).collect();
        prop_assert_eq!(fold.cells(facet), cells);
        let count = known.iter().map(|(_, cell)| cell.0).sum();
        let ids = known.iter().flat_map(|(_, cell)| &cell.1).copied().collect();
        prop_assert_eq!(fold.total(facet), folded(0, &(count, ids)));
        for (key, cell) in known {
            prop_assert_eq!(fold.cell(*key), folded(key.id, cell));
            let ids: Vec<u32> = fold.ids(*key).unwrap().iter().collect();
            prop_assert_eq!(ids, cell.1.iter().copied().collect::<Vec<_>>());
        }
    }
    Ok(())
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(96))]

    #[test]
    fn a_fold_equals_the_recount(
        scope in scopes(),
        histories in vec(histories(), 0..6),
        edge in histories(),
        chosen in subsequence(Facet::ALL.to_vec(), 0..=Facet::ALL.len()),
    ) {
        // Two folds of different sheets unite to the fold of all.
        let (mut fold, mut other) = (Fold::new(&chosen), Fold::new(&chosen).emptied());
        for (nth, facts) in histories.iter().enumerate() {
            let half = if nth.is_multiple_of(3) { &mut other } else { &mut fold };
            half.add(&Sheet::of(scope, facts).encode()).unwrap();
        }
        fold.unite(other);
        fold.add_sheet(&Sheet::of(scope, &edge));
        let all: Vec<Fact> = histories.into_iter().flatten().chain(edge).collect();
        check(&fold, &recount(scope, &all), &chosen)?;
        let (sheet, _) = Sheet::of(scope, &all).partition(|facet| chosen.contains(&facet));
        prop_assert_eq!(fold.into_sheet(), sheet);
    }

    #[test]
    fn users_of_two_folds_are_compared(a in histories(), b in histories()) {
        let key = CellKey::single(Facet::ActiveAll);
        let [a, b] = [a, b].map(|facts| {
            let mut fold = Fold::new(&[Facet::ActiveAll]);
            fold.add(&Sheet::of(ScopeKind::Everyone, &facts).encode()).unwrap();
            let truth = recount(ScopeKind::Everyone, &facts).remove(&key).unwrap_or_default().1;
            (fold.ids(key).cloned().unwrap_or_default(), truth)
        });
        prop_assert_eq!(a.0.intersection_len(&b.0), a.1.intersection(&b.1).count());
        prop_assert_eq!(b.0.intersection_len(&a.0), a.1.intersection(&b.1).count());
        let mut both = a.0.clone();
        both.unite(&b.0);
        prop_assert_eq!(both.len(), a.1.union(&b.1).count());
    }
}

#[test]
fn a_damaged_sheet_is_not_folded() {
    let mut fold = Fold::new(&[Facet::Views]);
    let mut payload = Sheet::default().encode();
    payload.truncate(4);
    assert!(fold.add(&payload).is_err());
}

#[test]
fn the_largest_ordinals_are_folded() {
    let fact =
        Fact { page: None, env: 1, kind: 0, userinfo: false, login: None, failed: false, user: None, source: None };
    for step in [1, 3, 90] {
        let users = (u32::MAX - 9_000..=u32::MAX).rev().step_by(step).map(Some);
        let facts: Vec<Fact> = users.map(|user| Fact { user, ..fact }).collect();
        let sheet = Sheet::of(ScopeKind::Everyone, &facts);
        let mut fold = Fold::new(&Facet::ALL);
        fold.add(&sheet.encode()).unwrap();
        fold.add(&sheet.encode()).unwrap();
        assert_eq!(fold.total(Facet::ActiveAll).distinct, facts.len() as u64);
        assert_eq!(Sheet::decode(&sheet.encode()), Ok(sheet));
        assert!(fold.ids(CellKey::single(Facet::ActiveAll)).unwrap().contains(u32::MAX));
    }
}
