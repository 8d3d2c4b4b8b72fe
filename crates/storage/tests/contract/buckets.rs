//! The bucket of a transaction. `tests/buckets.rs` has databases with several.

use trailkeeper_domain::event::EventFilter;
use trailkeeper_testkit::event;
use trailkeeper_testkit::visibility::EVERYTHING;

use crate::TestStore;

trailkeeper_testkit::on_both!(crate::TestStore::new => a_transaction_enters_buckets_and_leaves_them);

fn a_transaction_enters_buckets_and_leaves_them(t: &TestStore) {
    t.store.writing(|tx| tx.insert_events(&[event(1), event(2)])).unwrap();
    t.store
        .reading(|tx| {
            let (all, mut events) = (EventFilter::within(EVERYTHING), 0);
            assert_eq!(tx.entered_bucket(), None);
            for bucket in tx.buckets()?.all() {
                tx.enter_bucket(Some(bucket));
                assert_eq!(tx.entered_bucket(), Some(bucket));
                events += tx.count_events(&all)?;
            }
            tx.enter_bucket(None);
            assert_eq!((events, tx.count_events(&all)?), (2, 2));
            Ok(())
        })
        .unwrap();
}
