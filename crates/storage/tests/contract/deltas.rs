//! Deltas of batches.

use std::collections::{BTreeMap, HashSet};

use trailkeeper_domain::event::Event;
use trailkeeper_domain::id::TenantId;
use trailkeeper_domain::ports::{DeltaKey, Pending, Scopes};
use trailkeeper_domain::scope::Scope;
use trailkeeper_domain::{Error, Result};
use trailkeeper_testkit::{event, tenant_id};

use crate::TestStore;
use crate::sheets::{EVERYONE, of};

trailkeeper_testkit::on_both!(crate::TestStore::new =>
    every_batch_leaves_one_delta_per_scope,
    known_events_and_the_system_tenant_leave_no_delta,
    a_batch_that_is_rolled_back_leaves_no_delta,
    pending_scopes_are_ordered_by_bytes,
    only_merged_deltas_are_deleted,
    large_deltas_are_in_order,
    deltas_of_some_scopes_are_ordered_by_scope,
);

/// An event of this tenant.
pub(crate) fn in_tenant(number: u128, tenant: TenantId) -> Event {
    Event { tenant_id: tenant, ..event(number) }
}

impl TestStore {
    fn deltas(&self, scopes: Scopes) -> Vec<(DeltaKey, Vec<u8>)> {
        self.store
            .reading(|tx| {
                let mut found = Vec::new();
                tx.deltas(scopes, &mut |key, payload| {
                    found.push((key, payload.to_vec()));
                    Ok(())
                })?;
                Ok(found)
            })
            .unwrap()
    }

    fn delta_keys(&self, scopes: Scopes) -> Vec<DeltaKey> {
        self.deltas(scopes).into_iter().map(|(key, _)| key).collect()
    }

    fn pending(&self) -> Vec<Pending> {
        self.store.reading(|tx| tx.pending(100)).unwrap()
    }

    fn deltas_of(&self, scopes: &[Scope]) -> Vec<(DeltaKey, Vec<u8>)> {
        self.store
            .reading(|tx| {
                let mut found = Vec::new();
                tx.deltas_of(scopes, &mut |key, payload| {
                    found.push((key, payload.to_vec()));
                    Ok(())
                })?;
                Ok(found)
            })
            .unwrap()
    }
}

fn every_batch_leaves_one_delta_per_scope(t: &TestStore) {
    t.insert(&[in_tenant(1, tenant_id(1)), in_tenant(2, tenant_id(1)), in_tenant(3, TenantId::NONE)]);
    t.insert(&[in_tenant(4, tenant_id(1)), in_tenant(5, tenant_id(2)), in_tenant(6, TenantId::SYSTEM)]);
    let numbers = |scope| {
        let keys = t.delta_keys(Scopes::One(scope));
        assert!(keys.iter().all(|key| key.scope == scope), "{keys:?}");
        assert!(keys.windows(2).all(|pair| pair[0].seq < pair[1].seq), "{keys:?}");
        keys.len()
    };
    assert_eq!(numbers(EVERYONE), 2);
    assert_eq!(numbers(of(1)), 2);
    assert_eq!(numbers(of(2)), 1);
    assert_eq!(numbers(Scope::Tenant(TenantId::NONE)), 1);
    assert_eq!(numbers(of(9)), 0);
    let scopes: Vec<Scope> = t.delta_keys(Scopes::EveryTenant).into_iter().map(|key| key.scope).collect();
    assert_eq!(scopes, [Scope::Tenant(TenantId::NONE), of(1), of(1), of(2)], "ordered by tenant, without everyone");
}

fn known_events_and_the_system_tenant_leave_no_delta(t: &TestStore) {
    assert_eq!(t.insert(&[in_tenant(1, TenantId::SYSTEM)]), [true]);
    assert_eq!(t.pending(), []);
    t.insert(&[in_tenant(1, tenant_id(1))]);
    let before = t.delta_keys(Scopes::EveryTenant);
    assert_eq!(t.insert(&[in_tenant(1, tenant_id(1)), in_tenant(1, TenantId::SYSTEM)]), [false, false]);
    assert_eq!(t.delta_keys(Scopes::EveryTenant), before);
    assert_eq!(t.delta_keys(Scopes::One(EVERYONE)).len(), 1);
}

fn a_batch_that_is_rolled_back_leaves_no_delta(t: &TestStore) {
    let outcome: Result<()> = t.store.writing(|tx| {
        tx.insert_events(&[in_tenant(1, tenant_id(1))])?;
        Err(Error::internal("the test fails it"))
    });
    assert!(outcome.is_err());
    assert_eq!(t.pending(), []);
    t.insert(&[in_tenant(1, tenant_id(1))]);
    assert_eq!(t.pending().len(), 2);
}

fn pending_scopes_are_ordered_by_bytes(t: &TestStore) {
    assert_eq!(t.pending(), []);
    for round in 0..6 {
        t.insert(&[in_tenant(round, tenant_id(if round < 4 { 1 } else { 2 }))]);
    }
    let pending = t.pending();
    let expected: BTreeMap<Scope, (u64, u64)> = [EVERYONE, of(1), of(2)]
        .into_iter()
        .map(|scope| {
            let deltas = t.deltas(Scopes::One(scope));
            (scope, (deltas.len() as u64, deltas.iter().map(|(_, payload)| payload.len() as u64).sum()))
        })
        .collect();
    let sizes: BTreeMap<Scope, (u64, u64)> =
        pending.iter().map(|scope| (scope.scope, (scope.deltas, scope.bytes))).collect();
    assert_eq!(sizes, expected);
    assert_eq!(expected[&of(1)].0, 4);
    assert!(expected.values().all(|(_, bytes)| *bytes > 0));
    assert!(pending.windows(2).all(|pair| pair[0].bytes >= pair[1].bytes), "{pending:?}");
    assert_eq!(t.store.reading(|tx| tx.pending(1)).unwrap(), pending[..1]);
}

fn only_merged_deltas_are_deleted(t: &TestStore) {
    for round in 0..10 {
        t.insert(&[in_tenant(round, tenant_id(round % 2 + 1))]);
    }
    let all = t.delta_keys(Scopes::EveryTenant);
    let kept: HashSet<DeltaKey> = all.iter().copied().step_by(3).collect();
    let merged: Vec<DeltaKey> = all
        .iter()
        .copied()
        .filter(|key| !kept.contains(key))
        .chain([DeltaKey { scope: of(1), seq: i64::MAX }, DeltaKey { scope: of(77), seq: 1 }])
        .collect();
    t.store.writing(|tx| tx.delete_deltas(&merged)).unwrap();
    assert_eq!(t.delta_keys(Scopes::EveryTenant).into_iter().collect::<HashSet<_>>(), kept);
    assert_eq!(t.delta_keys(Scopes::One(EVERYONE)).len(), 10, "the same numbers of another scope stay");
    t.insert(&[in_tenant(100, tenant_id(1))]);
    let newest = *t.delta_keys(Scopes::One(of(1))).last().unwrap();
    assert!(!all.contains(&newest), "a number is not used again");
    let many: Vec<DeltaKey> = (0..2_500).map(|seq| DeltaKey { scope: EVERYONE, seq }).collect();
    t.store.writing(|tx| tx.delete_deltas(&many)).unwrap();
    assert_eq!(t.delta_keys(Scopes::One(EVERYONE)), []);
}

fn large_deltas_are_in_order(t: &TestStore) {
    // More deltas than the first batch of a scope has.
    for round in 0..60 {
        t.insert(&[in_tenant(round, tenant_id(1))]);
    }
    let keys = t.delta_keys(Scopes::One(of(1)));
    assert_eq!(keys.len(), 60);
    assert!(keys.windows(2).all(|pair| pair[0].seq < pair[1].seq));
}

fn deltas_of_some_scopes_are_ordered_by_scope(t: &TestStore) {
    for round in 0..30 {
        t.insert(&[in_tenant(2 * round, tenant_id(3 - round % 3)), in_tenant(2 * round + 1, TenantId::NONE)]);
    }
    let of_each = |scopes: &[Scope]| -> Vec<(DeltaKey, Vec<u8>)> {
        scopes.iter().flat_map(|scope| t.deltas(Scopes::One(*scope))).collect()
    };
    let none = Scope::Tenant(TenantId::NONE);
    // More deltas than the first batch of a scope holds, in another order than that of the result.
    assert_eq!(t.deltas_of(&[of(2), none, of(77), EVERYONE]), of_each(&[EVERYONE, none, of(2)]));
    assert_eq!(t.deltas_of(&[of(3)]), of_each(&[of(3)]));
    assert_eq!(t.deltas_of(&[none]).len(), 30);
    assert_eq!(t.deltas_of(&[of(77)]), []);
    assert_eq!(t.deltas_of(&[]), []);
}
