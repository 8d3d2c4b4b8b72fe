//! The guarantees of a transaction.

use trailkeeper_domain::Error;
use trailkeeper_domain::ports::Store;
use trailkeeper_storage::StoreOptions;
use trailkeeper_testkit::{all_events, event, tenant, tenant_id};

use crate::TestStore;

trailkeeper_testkit::on_both!(crate::TestStore::new =>
    a_transaction_that_fails_stores_nothing,
    a_transaction_that_panics_stores_nothing,
    a_failed_statement_cannot_be_committed,
    a_reader_sees_one_snapshot,
    writers_of_the_same_events_store_each_once,
    each_store_has_its_own_epoch,
    a_migrated_database_is_ready,
);

fn a_transaction_that_fails_stores_nothing(t: &TestStore) {
    let outcome: Result<(), Error> = t.store.writing(|tx| {
        tx.put_tenant(&tenant(1))?;
        Err(Error::unauthenticated("the test fails it"))
    });
    assert!(matches!(outcome, Err(Error::Unauthenticated(_))), "{outcome:?}");
    assert_eq!(t.store.reading(|tx| tx.tenant(tenant_id(1))).unwrap(), None);
}

fn a_transaction_that_panics_stores_nothing(t: &TestStore) {
    let outcome = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| {
        t.store.writing::<()>(|tx| {
            tx.put_tenant(&tenant(1))?;
            panic!("the test panics inside a transaction");
        })
    }));
    assert!(outcome.is_err());
    assert_eq!(t.store.reading(|tx| tx.tenant(tenant_id(1))).unwrap(), None);
    t.store.writing(|tx| tx.put_tenant(&tenant(2))).unwrap();
}

fn a_failed_statement_cannot_be_committed(t: &TestStore) {
    let outcome = t.store.writing(|tx| {
        tx.put_tenant(&tenant(1))?;
        let mut nameless = tenant(2);
        nameless.name = Some(String::new());
        // The table rejects an empty name. The test ignores the error.
        assert!(tx.put_tenant(&nameless).is_err());
        Ok(())
    });
    assert!(matches!(outcome, Err(Error::Internal { .. })), "{outcome:?}");
    assert_eq!(t.store.reading(|tx| tx.tenant(tenant_id(1))).unwrap(), None);
}

fn a_reader_sees_one_snapshot(t: &TestStore) {
    t.insert(&[event(1)]);
    t.store
        .read(&mut |tx| {
            let before = tx.events(&all_events(), None, 10)?.len();
            std::thread::scope(|scope| {
                scope.spawn(|| t.insert(&[event(2)]));
            });
            assert_eq!(tx.events(&all_events(), None, 10)?.len(), before);
            Ok(())
        })
        .unwrap();
    assert_eq!(t.store.reading(|tx| tx.events(&all_events(), None, 10)).unwrap().len(), 2);
    t.store.write(&mut |tx| tx.insert_events(&[event(3)]).map(|_| ())).unwrap();
}

fn writers_of_the_same_events_store_each_once(t: &TestStore) {
    let events: Vec<_> = (1..=500).map(event).collect();
    let stored: usize = std::thread::scope(|scope| {
        let threads: Vec<_> = (0..4_usize)
            .map(|thread| {
                let mut mine = events.clone();
                // Each writer has another order: writers that lock rows in their own order would deadlock.
                mine.rotate_left(thread * 125);
                if thread % 2 == 1 {
                    mine.reverse();
                }
                scope.spawn(move || t.insert(&mine).into_iter().filter(|new| *new).count())
            })
            .collect();
        threads.into_iter().map(|thread| thread.join().unwrap()).sum()
    });
    assert_eq!(stored, 500);
    assert_eq!(t.store.reading(|tx| tx.events(&all_events(), None, 1_000)).unwrap().len(), 500);
}

/// A store does not see when another one loses its database, so a cache of one would be wrong in the other.
fn each_store_has_its_own_epoch(t: &TestStore) {
    let epoch = |store: &dyn Store| store.reading(|tx| Ok(tx.epoch())).unwrap();
    let own = epoch(t.store.as_ref());
    t.store.writing(|tx| tx.insert_events(&[event(1)])).unwrap();
    assert_eq!(epoch(t.store.as_ref()), own, "a commit keeps the epoch");
    assert_eq!(t.store.writing(|tx| Ok(tx.epoch())).unwrap(), own);
    assert_ne!(epoch(t.another(&StoreOptions::default()).as_ref()), own);
}

fn a_migrated_database_is_ready(t: &TestStore) {
    t.store.ready().unwrap();
}
