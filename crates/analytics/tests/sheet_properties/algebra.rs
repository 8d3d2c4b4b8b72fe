//! Sheets form a commutative monoid, and the sheet of a union of events is the merge of their sheets.

use proptest::prelude::*;
use trailkeeper_analytics::sheet::{CellKey, Facet, Fact, ScopeKind, Sheet};

use super::facts::{histories, plain, recount, scopes};

fn merged(mut a: Sheet, b: Sheet) -> Sheet {
    a.merge(b);
    a
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(128))]

    #[test]
    fn a_sheet_equals_the_recount(scope in scopes(), facts in histories()) {
        prop_assert_eq!(plain(&Sheet::of(scope, &facts)), recount(scope, &facts));
    }

    #[test]
    fn the_sheet_of_a_union_is_the_merge(scope in scopes(), a in histories(), b in histories()) {
        let both: Vec<Fact> = a.iter().chain(&b).copied().collect();
        prop_assert_eq!(Sheet::of(scope, &both), merged(Sheet::of(scope, &a), Sheet::of(scope, &b)));
    }

    #[test]
    fn order_of_events_does_not_matter(scope in scopes(), facts in histories()) {
        prop_assert_eq!(Sheet::of(scope, facts.iter().rev()), Sheet::of(scope, &facts));
    }

    #[test]
    fn merging_commutes_and_associates(a in histories(), b in histories(), c in histories()) {
        let [a, b, c] = [a, b, c].map(|facts| Sheet::of(ScopeKind::Tenant, &facts));
        prop_assert_eq!(merged(a.clone(), b.clone()), merged(b.clone(), a.clone()));
        prop_assert_eq!(merged(merged(a.clone(), b.clone()), c.clone()), merged(a, merged(b, c)));
    }

    #[test]
    fn the_empty_sheet_is_neutral(facts in histories()) {
        let sheet = Sheet::of(ScopeKind::Tenant, &facts);
        prop_assert_eq!(merged(sheet.clone(), Sheet::default()), sheet.clone());
        prop_assert_eq!(merged(Sheet::default(), sheet.clone()), sheet);
    }

    #[test]
    fn the_parts_of_a_partition_merge_to_the_whole(facts in histories()) {
        let sheet = Sheet::of(ScopeKind::Tenant, &facts);
        let (pages, rest) = sheet.clone().partition(|facet| facet == Facet::Views);
        prop_assert!(pages.cells().all(|(key, _)| key.facet == Facet::Views));
        prop_assert!(rest.cells().all(|(key, _)| key.facet != Facet::Views));
        prop_assert_eq!(merged(rest, pages), sheet);
    }
}

#[test]
fn a_failed_view_is_a_view_and_makes_no_user_active() {
    let fact = Fact {
        page: Some(7),
        env: 2,
        kind: 3,
        userinfo: false,
        login: None,
        failed: true,
        user: Some(5),
        source: None,
    };
    let sheet = Sheet::of(ScopeKind::Tenant, &[fact]);
    assert_eq!(sheet.get(CellKey::new(Facet::Views, 7)).unwrap().count, 1);
    assert!(sheet.get(CellKey::single(Facet::ActiveAll)).is_none());
    assert!(sheet.get(CellKey::new(Facet::Active, 2)).is_none());
}

#[test]
fn everyone_has_no_environments() {
    let fact =
        Fact { page: None, env: 2, kind: 3, userinfo: true, login: None, failed: false, user: Some(5), source: None };
    let of = |scope| Sheet::of(scope, &[fact]);
    assert!(of(ScopeKind::Everyone).get(CellKey::new(Facet::Active, 2)).is_none());
    assert!(of(ScopeKind::Tenant).get(CellKey::new(Facet::Active, 2)).is_some());
    assert!(of(ScopeKind::Everyone).get(CellKey::single(Facet::ActiveAll)).is_some());
}
