//! Databases that are divided into buckets.
#![expect(clippy::unwrap_used, clippy::indexing_slicing, reason = "a test that cannot go on should say where")]

use std::collections::BTreeMap;
use std::sync::Arc;

use trailkeeper_domain::Error;
use trailkeeper_domain::bucket::{Bucket, Buckets};
use trailkeeper_domain::bucket_store::BucketStore;
use trailkeeper_domain::event::{Event, EventFilter};
use trailkeeper_domain::id::TenantId;
use trailkeeper_domain::ports::Store;
use trailkeeper_domain::scope::Scope;
use trailkeeper_storage::{DatabaseUrl, StoreOptions, migrate, migrate_with, open};
use trailkeeper_testkit::visibility::{EVERYTHING, of_tenant as within_tenant};
use trailkeeper_testkit::{TempDatabase, event, run_on_postgres, tenant_id};

fn options(buckets: Option<u16>) -> StoreOptions {
    let buckets = buckets.map(|count| Buckets::new(count).unwrap());
    StoreOptions { buckets, ..StoreOptions::default() }
}

/// A database with four buckets, and the tenants of its events.
struct World {
    database: TempDatabase,
    store: Arc<dyn Store>,
}

impl World {
    fn new() -> Self {
        let database = TempDatabase::postgres();
        let url = DatabaseUrl::parse(database.url()).unwrap();
        migrate_with(&url, &options(Some(4))).unwrap();
        Self { store: open(&url, &StoreOptions::default()).unwrap(), database }
    }

    fn insert(&self, events: &[Event]) -> Vec<bool> {
        self.store.writing(|tx| tx.insert_events(events)).unwrap()
    }

    /// The number of rows of each bucket and tenant.
    fn rows(&self) -> BTreeMap<(i16, TenantId), u64> {
        let sql = "SELECT bucket, tenant_id, count(*) FROM events GROUP BY bucket, tenant_id";
        let rows = run_on_postgres(self.database.url(), sql);
        let text = |value: &Option<String>| value.clone().unwrap();
        rows.iter()
            .map(|row| {
                let tenant = TenantId(text(&row[1]).parse().unwrap());
                ((text(&row[0]).parse().unwrap(), tenant), text(&row[2]).parse().unwrap())
            })
            .collect()
    }
}

/// The events of twenty tenants, of none, and of the system tenant, in turns.
fn events(count: u32) -> Vec<Event> {
    let tenant = |number: u32| match number % 22 {
        0 => TenantId::NONE,
        1 => TenantId::SYSTEM,
        nth => tenant_id(nth.into()),
    };
    (0..count).map(|number| Event { tenant_id: tenant(number), ..event(number.into()) }).collect()
}

#[test]
fn a_database_keeps_the_number_of_buckets_that_it_was_made_with() {
    let world = World::new();
    let url = DatabaseUrl::parse(world.database.url()).unwrap();
    for same in [None, Some(4)] {
        migrate_with(&url, &options(same)).unwrap();
    }
    for other in [1, 8] {
        let error = migrate_with(&url, &options(Some(other))).unwrap_err();
        let text = error.chain().to_string();
        assert!(text.contains(&format!("buckets: {other} is not")) && text.contains("made with 4"), "{text}");
    }
    assert_eq!(world.store.reading(|tx| tx.buckets()).unwrap().count(), 4);
}

#[test]
fn a_database_has_one_bucket_unless_it_is_made_with_more_and_a_file_always() {
    let database = TempDatabase::postgres();
    let url = DatabaseUrl::parse(database.url()).unwrap();
    migrate(&url).unwrap();
    assert!(migrate_with(&url, &options(Some(2))).is_err());
    let store = open(&url, &StoreOptions::default()).unwrap();
    assert_eq!(store.reading(|tx| tx.buckets()).unwrap(), Buckets::ONE);

    let file = TempDatabase::sqlite();
    let url = DatabaseUrl::parse(file.url()).unwrap();
    assert!(matches!(migrate_with(&url, &options(Some(2))), Err(Error::Invalid(_))));
    assert!(!file.path().exists() || migrate(&url).is_ok(), "nothing was migrated");
    migrate_with(&url, &options(Some(1))).unwrap();
}

#[test]
fn every_event_is_once_in_the_bucket_of_its_tenant() {
    let world = World::new();
    let (events, buckets) = (events(500), Buckets::new(4).unwrap());
    // Some in a large batch, by COPY, and again among others in a small one.
    assert_eq!(world.insert(&events), vec![true; 500]);
    assert_eq!(world.insert(&events[100..150]), vec![false; 50]);
    assert_eq!(world.insert(&[event(1_000), event(1_000), event(1_001)]), [true, false, true]);
    let mut expected: BTreeMap<(i16, TenantId), u64> = BTreeMap::new();
    for event in events.iter().chain(&[event(1_000), event(1_001)]) {
        *expected.entry((buckets.of(event.tenant_id).code(), event.tenant_id)).or_default() += 1;
    }
    assert_eq!(world.rows(), expected);
    let used: Vec<i16> = expected.keys().map(|(bucket, _)| *bucket).collect();
    assert!(buckets.all().all(|bucket| used.contains(&bucket.code())), "the tenants are in all buckets");
    // The events of a bucket have a delta of their own.
    let deltas = run_on_postgres(
        world.database.url(),
        "SELECT (SELECT sum(events) FROM deltas AS d WHERE d.bucket = e.bucket) = count(*) FROM events AS e GROUP BY bucket",
    );
    assert_eq!(deltas, vec![vec![Some("t".to_owned())]; 4]);
}

#[test]
fn questions_about_everyone_unite_the_buckets_and_those_about_a_tenant_read_one() {
    let world = World::new();
    let events = events(300);
    world.insert(&events);
    let mut expected: Vec<&Event> = events.iter().collect();
    expected.sort_by_key(|event| std::cmp::Reverse(event.occurred_at));
    let all = EventFilter::within(EVERYTHING);
    let listed = world.store.reading(|tx| tx.events(&all, None, 1_000)).unwrap();
    assert_eq!(listed.len(), 300);
    assert!(listed.iter().map(|stored| stored.event.occurred_at).eq(expected.iter().map(|event| event.occurred_at)));
    assert_eq!(world.store.reading(|tx| tx.count_events(&all)).unwrap(), 300);
    for number in 2..22 {
        let tenant = tenant_id(number);
        let of_tenant = events.iter().filter(|event| event.tenant_id == tenant).count() as u64;
        let filter = EventFilter::within(within_tenant(tenant));
        assert_eq!(world.store.reading(|tx| tx.count_events(&filter)).unwrap(), of_tenant);
    }
}

#[test]
fn what_belongs_to_one_bucket_is_refused_outside_of_any() {
    let world = World::new();
    let outside: &dyn Store = world.store.as_ref();
    assert!(matches!(outside.reading(|tx| tx.generation()), Err(Error::Internal { .. })));
    assert!(matches!(outside.reading(|tx| tx.lease("sheets")), Err(Error::Internal { .. })));
    assert!(matches!(outside.writing(|tx| tx.delete_events(&[1])), Err(Error::Internal { .. })));
    let inside: &dyn Store = &BucketStore::new(outside, Bucket::FIRST);
    assert_eq!(inside.reading(|tx| tx.generation()).unwrap(), 1);
}

#[test]
fn inside_a_bucket_everyone_is_everyone_of_the_bucket() {
    let world = World::new();
    let events = events(200);
    world.insert(&events);
    let buckets = Buckets::new(4).unwrap();
    let mut counted = 0;
    for bucket in buckets.all() {
        let inside = BucketStore::new(world.store.as_ref(), bucket);
        let of_bucket = events.iter().filter(|event| buckets.of(event.tenant_id) == bucket).count() as u64;
        let inside: &dyn Store = &inside;
        assert_eq!(inside.reading(|tx| tx.backlog()).unwrap().events, of_bucket);
        counted += inside.reading(|tx| tx.count_events(&EventFilter::within(EVERYTHING))).unwrap();
    }
    assert_eq!((counted, world.store.reading(|tx| tx.backlog()).unwrap().events), (200, 200));
}

#[test]
fn each_bucket_has_a_lease_of_its_own_and_a_bucket_that_was_entered_is_left_again() {
    let world = World::new();
    let holder = trailkeeper_testkit::uuid(7);
    let at = event(1).occurred_at;
    let first: &dyn Store = &BucketStore::new(world.store.as_ref(), Bucket::FIRST);
    assert!(first.writing(|tx| tx.take_lease("sheets", holder, at, at)).unwrap());
    let held = world.store.reading(|tx| {
        let mut held = Vec::new();
        tx.in_buckets_of(Scope::Everyone, |tx, bucket| {
            held.push((bucket, tx.lease("sheets")?.is_some()));
            Ok(())
        })?;
        assert_eq!(tx.entered_bucket(), None);
        Ok(held)
    });
    let expected = Buckets::new(4).unwrap().all().map(|bucket| (bucket, bucket == Bucket::FIRST));
    assert!(held.unwrap().into_iter().eq(expected));
}
