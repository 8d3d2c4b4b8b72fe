//! A PostgreSQL that is frozen, slow or half-open, connections that end in the middle of a commit, and a cluster with a
//! worker that is down. Everything happens behind a proxy, so that no other test notices.
#![expect(clippy::unwrap_used, reason = "a test that cannot go on should say where")]

use std::fmt::Debug;
use std::sync::Arc;
use std::thread;
use std::time::{Duration, Instant};

use trailkeeper_domain::ports::Store;
use trailkeeper_domain::{Error, Result, deadline};
use trailkeeper_storage::{DatabaseUrl, StoreOptions, migrate, open};
use trailkeeper_testkit::{FaultProxy, ProxyMode, TempDatabase, all_events, event, run_on_postgres};

/// The time of a request. A fault that holds one longer than this and [`SLACK`] fails the test.
const LIMIT: Duration = Duration::from_millis(1500);

/// For the processor: other tests run at the same time.
const SLACK: Duration = Duration::from_millis(2500);

/// A database, a proxy before it, and a store that uses the proxy and has connections.
struct World {
    database: TempDatabase,
    proxy: FaultProxy,
    store: Arc<dyn Store>,
}

impl World {
    fn new(options: &StoreOptions) -> Self {
        let database = TempDatabase::postgres();
        let (proxy, url) = FaultProxy::of_url(database.url());
        let url = DatabaseUrl::parse(&url).unwrap();
        migrate(&url).unwrap();
        let store = open(&url, options).unwrap();
        write(&store, 1).unwrap();
        Self { database, proxy, store }
    }

    /// Checks that every kind of call fails within its time.
    fn holds_nobody(&self) {
        // More callers than connections: some wait for one.
        thread::scope(|scope| {
            for number in 0..12_u128 {
                let store = &self.store;
                scope.spawn(move || {
                    in_time(|| match number % 3 {
                        0 => write(store, 100 + number).map(drop),
                        1 => count(store).map(drop),
                        _ => store.ready(),
                    });
                });
            }
        });
    }

    /// Checks that everything works again, and that the events are those.
    fn works_again(&self, events: usize) {
        self.proxy.set(ProxyMode::Forward);
        assert_eq!(write(&self.store, 1).unwrap(), [false]);
        assert_eq!(count(&self.store).unwrap(), events);
        self.store.ready().unwrap();
    }

    /// Runs SQL without the proxy.
    fn sql(&self, sql: &str) -> Vec<Vec<Option<String>>> {
        run_on_postgres(self.database.url(), sql)
    }
}

fn write(store: &Arc<dyn Store>, number: u128) -> Result<Vec<bool>> {
    store.writing(|tx| tx.insert_events(&[event(number)]))
}

fn count(store: &Arc<dyn Store>) -> Result<usize> {
    store.reading(|tx| Ok(tx.events(&all_events(), None, 10_000)?.len()))
}

/// Runs a call as a request with the time [`LIMIT`], and checks that it fails within that.
#[track_caller]
fn in_time<T: Debug>(call: impl FnOnce() -> Result<T>) {
    let started = Instant::now();
    let outcome = deadline::until(started + LIMIT, call);
    let took = started.elapsed();
    assert!(matches!(outcome, Err(Error::Unavailable { .. } | Error::Overloaded { .. })), "{outcome:?}");
    assert!(took < LIMIT + SLACK, "{took:?}: {outcome:?}");
}

#[test]
fn a_frozen_server_holds_no_call_beyond_its_time() {
    let world = World::new(&StoreOptions { readers: 4, ..StoreOptions::default() });
    world.proxy.set(ProxyMode::Freeze);
    world.holds_nobody();
    // All connections are gone by now: this freezes new ones.
    world.holds_nobody();
    // What is held ends with its connections, so the server never gets it.
    world.proxy.cut();
    world.works_again(1);
}

#[test]
fn a_half_open_network_holds_no_call_beyond_its_time() {
    for mode in [ProxyMode::LoseRequests, ProxyMode::LoseAnswers] {
        let world = World::new(&StoreOptions { readers: 4, ..StoreOptions::default() });
        world.proxy.set(mode);
        world.holds_nobody();
        world.proxy.cut();
        world.works_again(1);
    }
}

#[test]
fn a_slow_network_holds_a_call_of_many_statements_no_longer_than_one() {
    let world = World::new(&StoreOptions::default());
    world.proxy.set(ProxyMode::Slow(Duration::from_millis(400)));
    // Each exchange is answered in less than the limit of a statement; only their sum is too long.
    in_time(|| world.store.reading(|tx| (0..100).try_for_each(|_| tx.events(&all_events(), None, 1).map(drop))));
    world.works_again(1);
}

#[test]
fn a_server_that_freezes_in_a_transaction_is_waited_for_once() {
    let world = World::new(&StoreOptions::default());
    in_time(|| {
        world.store.writing(|tx| {
            tx.insert_events(&[event(2)])?;
            world.proxy.set(ProxyMode::Freeze);
            // This waits for the whole time; the rollback must not wait again.
            tx.insert_events(&[event(3)])
        })
    });
    world.proxy.cut();
    world.works_again(1);
}

#[test]
fn a_call_gets_another_connection_if_the_other_end_of_its_own_is_gone() {
    let world = World::new(&StoreOptions::default());
    world.proxy.set(ProxyMode::LoseRequests);
    thread::scope(|scope| {
        let limited =
            |number| deadline::until(Instant::now() + Duration::from_secs(15), || write(&world.store, number));
        let writer = scope.spawn(move || limited(2));
        world.proxy.wait_until("the first statement is lost", |counts| counts.lost > 0);
        // Only the old connection is broken now: it never gets an answer to what was lost.
        world.proxy.set(ProxyMode::Forward);
        assert_eq!(writer.join().unwrap().unwrap(), [true]);
    });
    world.works_again(2);
}

#[test]
fn a_commit_without_an_answer_is_reported_and_its_repetition_stores_once() {
    let world = World::new(&StoreOptions::default());
    for (number, mode, is_stored) in [(2, ProxyMode::CutAfterCommit, true), (3, ProxyMode::CutBeforeCommit, false)] {
        world.proxy.set(mode);
        let outcome = write(&world.store, number);
        assert!(matches!(outcome, Err(Error::Unavailable { maybe_stored: true, .. })), "{mode:?}: {outcome:?}");
        world.proxy.set(ProxyMode::Forward);
        assert_eq!(write(&world.store, number).unwrap(), [!is_stored], "{mode:?}");
        assert_eq!(write(&world.store, number).unwrap(), [false], "{mode:?}");
    }
    let counts = world.proxy.counts();
    assert_eq!((counts.cut_after_commit, counts.cut_before_commit), (1, 1));
    world.works_again(3);
}

#[test]
fn a_failure_before_the_commit_stores_nothing_for_certain() {
    let world = World::new(&StoreOptions::default());
    let outcome = world.store.writing(|tx| {
        tx.insert_events(&[event(2)])?;
        world.proxy.cut();
        tx.insert_events(&[event(3)])
    });
    assert!(matches!(outcome, Err(Error::Unavailable { maybe_stored: false, .. })), "{outcome:?}");
    world.works_again(1);
}

/// The coordinator of a cluster reports a worker that is down as an error of a statement, or of the commit, with the class
/// of a broken connection. Its own connections are sound.
#[test]
fn a_worker_that_is_down_fails_statements_and_keeps_the_connection() {
    let world = World::new(&StoreOptions::default());
    let epoch = |store: &Arc<dyn Store>| store.reading(|tx| Ok(tx.epoch())).unwrap();
    let before = epoch(&world.store);
    let session =
        "SELECT pid FROM pg_stat_activity WHERE application_name = 'trailkeeper' AND datname = current_database()";
    let sessions = world.sql(session);
    let opened = || world.sql(session).into_iter().filter(|one| !sessions.contains(one)).count();
    for (state, when) in [("08006", "statement"), ("XX000", "statement"), ("08006", "commit"), ("XX000", "commit")] {
        let trigger = match when {
            "statement" => "TRIGGER worker BEFORE INSERT ON events FOR EACH ROW",
            _ => "CONSTRAINT TRIGGER worker AFTER INSERT ON events DEFERRABLE INITIALLY DEFERRED FOR EACH ROW",
        };
        world.sql(&format!(
            "CREATE FUNCTION worker_down() RETURNS trigger LANGUAGE plpgsql AS
             $$ BEGIN RAISE EXCEPTION 'connection to the worker failed' USING ERRCODE = '{state}'; END $$;
             CREATE {trigger} EXECUTE FUNCTION worker_down()"
        ));
        let outcome = write(&world.store, 2);
        assert!(matches!(outcome, Err(Error::Unavailable { maybe_stored: false, .. })), "{state} {when}: {outcome:?}");
        // Other tenants, on other workers, go on.
        assert_eq!(count(&world.store).unwrap(), 1, "{state} {when}");
        assert_eq!((epoch(&world.store), opened()), (before, 0), "{state} {when}");
        world.sql("DROP TRIGGER worker ON events; DROP FUNCTION worker_down");
    }
    assert_eq!(write(&world.store, 2).unwrap(), [true]);
    assert_eq!((epoch(&world.store), opened()), (before, 0));
    world.works_again(2);
}
