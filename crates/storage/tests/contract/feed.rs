//! Events in the order of storage, and what was removed of it.

use trailkeeper_domain::event::{Event, EventFilter, StoredEvent};
use trailkeeper_domain::id::TenantId;
use trailkeeper_domain::ports::{FeedState, NumberRange};
use trailkeeper_testkit::visibility::of_tenant;
use trailkeeper_testkit::{TestEntropy, all_events, event, tenant_id};

use crate::TestStore;
use crate::events::matches;

trailkeeper_testkit::on_both!(crate::TestStore::new =>
    the_feed_of_random_filters_agrees_with_a_scan,
    the_feed_has_the_order_of_storage,
    removals_are_counted_per_tenant,
    a_removed_number_is_not_given_again,
    the_history_is_that_of_the_database,
);

/// All pages behind a number.
fn feed(t: &TestStore, filter: &EventFilter, after: i64, limit: usize) -> Vec<StoredEvent> {
    let until = t.store.reading(|tx| tx.last_seq()).unwrap();
    let (mut walked, mut after) = (Vec::new(), after);
    loop {
        let range = NumberRange { after, until };
        let page = t.store.reading(|tx| tx.events_by_number(filter, range, limit)).unwrap();
        assert!(page.len() <= limit && page.iter().all(|stored| range.contains(stored.seq)));
        let is_last = page.len() < limit;
        after = page.last().map_or(after, |last| last.seq);
        walked.extend(page);
        if is_last {
            return walked;
        }
    }
}

fn events_of(stored: &[StoredEvent]) -> Vec<&Event> {
    stored.iter().map(|stored| &stored.event).collect()
}

pub(crate) fn the_feed_of_random_filters_agrees_with_a_scan(t: &TestStore) {
    let random = TestEntropy::new(11);
    let events = crate::random::events(&random, 300);
    t.insert(&events);
    let all = feed(t, &all_events(), 0, 1_000);
    assert_eq!(events_of(&all), events.iter().collect::<Vec<_>>());
    let mut found = 0;
    for nth in 0..150_usize {
        let filter = crate::random::filter(&random);
        let skipped = nth % 7 * 20;
        let after = skipped.checked_sub(1).map_or(0, |last| all[last].seq);
        let walked = feed(t, &filter, after, [1, 7, 1_000][nth % 3]);
        let expected: Vec<&Event> = events[skipped..].iter().filter(|event| matches(&filter, event)).collect();
        assert_eq!(events_of(&walked), expected, "{filter:?}");
        assert!(walked.is_sorted_by(|one, next| one.seq < next.seq));
        found += walked.len();
    }
    assert!(found > 1_000, "too few events: {found}");
}

pub(crate) fn the_feed_has_the_order_of_storage(t: &TestStore) {
    // Later events are stored first, in several transactions.
    let order = [9, 3, 5, 1, 7];
    for number in order {
        t.insert(&[event(number)]);
    }
    let ids: Vec<u128> = feed(t, &all_events(), 0, 2).iter().map(|stored| stored.event.id.0.as_u128()).collect();
    assert_eq!(ids, order.map(|number| event(number).id.0.as_u128()));
    let nothing = NumberRange { after: 5, until: 5 };
    assert!(t.store.reading(|tx| tx.events_by_number(&all_events(), nothing, 9)).unwrap().is_empty());
}

fn state(t: &TestStore, tenant: Option<TenantId>) -> FeedState {
    t.store.reading(|tx| tx.feed_state(tenant)).unwrap()
}

fn removals_are_counted_per_tenant(t: &TestStore) {
    let of = |number: u128, tenant: u128| Event { tenant_id: tenant_id(tenant), ..event(number) };
    t.insert(&[of(1, 1), of(2, 2), of(3, 1), of(4, 2), of(5, 3)]);
    let seqs: Vec<i64> = feed(t, &all_events(), 0, 10).iter().map(|stored| stored.seq).collect();
    let remove = |nth: &[usize]| {
        for bucket in t.store.reading(|tx| tx.buckets()).unwrap().all() {
            let seqs: Vec<i64> = nth.iter().map(|nth| seqs[*nth]).collect();
            t.store
                .writing(|tx| {
                    tx.enter_bucket(Some(bucket));
                    tx.delete_events(&seqs)
                })
                .unwrap();
        }
    };
    let removed = |tenant| {
        let FeedState { removed, removed_until, .. } = state(t, tenant);
        (removed, removed_until)
    };
    assert_eq!(removed(None), (0, 0));
    remove(&[2]);
    remove(&[0, 1]);
    let [one, two, three] = [1, 2, 3].map(|tenant| removed(Some(tenant_id(tenant))));
    assert_eq!((one, two, three), ((2, seqs[2]), (1, seqs[1]), (0, 0)));
    assert_eq!(removed(None), (3, seqs[2]));
    remove(&[1]);
    assert_eq!(removed(None), (3, seqs[2]), "it was removed before");
}

fn a_removed_number_is_not_given_again(t: &TestStore) {
    t.insert(&[event(1), event(2)]);
    let last = feed(t, &all_events(), 0, 10)[1].seq;
    for bucket in t.store.reading(|tx| tx.buckets()).unwrap().all() {
        t.store
            .writing(|tx| {
                tx.enter_bucket(Some(bucket));
                tx.delete_events(&[last])
            })
            .unwrap();
    }
    while t.store.settled().unwrap() < last {
        std::thread::yield_now();
    }
    let another = t.another(&trailkeeper_storage::StoreOptions::default());
    another.rebuild_ids().unwrap();
    another.writing(|tx| tx.insert_events(&[event(3)])).unwrap();
    assert!(feed(t, &all_events(), last, 10)[0].seq > last);
    assert!(feed(t, &EventFilter::within(of_tenant(tenant_id(9))), 0, 10).is_empty());
}

fn the_history_is_that_of_the_database(t: &TestStore) {
    let history = state(t, None).history;
    t.insert(&[event(1)]);
    let another = t.another(&trailkeeper_storage::StoreOptions::default());
    let seen = another.reading(|tx| tx.feed_state(Some(tenant_id(1)))).unwrap().history;
    assert_eq!((state(t, None).history, seen), (history, history));
    let other = TestStore::new(t.kind);
    assert_ne!(state(&other, None).history, history);
}
