//! Who has the lease, over real databases and clocks that differ.

use std::panic::{self, AssertUnwindSafe};
use std::thread;

use trailkeeper_testkit::{TestClock, World, uuid};

use super::watch::FORGOTTEN;
use super::*;

trailkeeper_testkit::on_both!(super::world =>
    a_lease_is_taken_when_it_stayed_the_same_for_three_seconds,
    clocks_that_differ_neither_end_a_lease_nor_prolong_it,
    a_process_that_starts_takes_an_old_lease_at_once,
    a_lease_that_was_prolonged_since_the_look_is_not_taken,
    work_that_does_not_write_keeps_the_lease,
    the_lease_beats_until_work_that_panics_has_ended,
    no_thread_takes_a_lease_of_its_own_process,
);

fn world(kind: trailkeeper_testkit::DatabaseKind) -> World {
    World::new(kind, |database| trailkeeper_testkit::open_store!(database))
}

/// Another process takes the lease or prolongs it, by its own clock.
fn beat_of_another(world: &World, clock: &dyn Clock) {
    let (holder, now) = (uuid(1), clock.now());
    let taken = world
        .store
        .writing(|tx| Ok(tx.keep_lease(NAME, holder, now + SPAN)? || tx.take_lease(NAME, holder, now, now + SPAN)?));
    assert!(taken.unwrap());
}

fn take<'a>(world: &'a World, watch: &LeaseWatch) -> Option<Lease<'a>> {
    Lease::take(world.store.as_ref(), world.clock.as_ref(), world.entropy.as_ref(), watch).unwrap()
}

fn a_lease_is_taken_when_it_stayed_the_same_for_three_seconds(world: &World) {
    let watch = LeaseWatch::default();
    let abandoned = || watch.abandoned(world.store.reading(|tx| tx.lease(NAME)).unwrap(), world.clock.now());
    assert!(!abandoned(), "nobody has it");
    for _ in 0..5 {
        beat_of_another(world, world.clock.as_ref());
        assert!(!abandoned() && take(world, &watch).is_none());
        world.clock.advance(TimeDelta::milliseconds(2_999));
        assert!(!abandoned() && take(world, &watch).is_none());
    }
    world.clock.advance(TimeDelta::milliseconds(1));
    assert!(abandoned());
    assert!(!abandoned(), "it is reported once");
    let lease = take(world, &watch).unwrap();
    assert!(!world.store.writing(|tx| tx.keep_lease(NAME, uuid(1), world.clock.now())).unwrap());
    assert_eq!(lease.writing(|_| Ok(7)).unwrap(), Some(7));
    world.clock.advance(SPAN);
    assert!(!abandoned(), "this process holds it");
    drop(lease);
    // The next holder is watched from the beginning.
    beat_of_another(world, world.clock.as_ref());
    assert!(!abandoned());
    world.clock.advance(SPAN);
    assert!(abandoned());
}

fn clocks_that_differ_neither_end_a_lease_nor_prolong_it(world: &World) {
    for offset in [TimeDelta::seconds(-50), TimeDelta::seconds(50), TimeDelta::minutes(9)] {
        let clock = TestClock::default();
        clock.advance(world.clock.now() - clock.now() + offset);
        let watch = LeaseWatch::default();
        for _ in 0..20 {
            beat_of_another(world, &clock);
            assert!(take(world, &watch).is_none(), "{offset}");
            clock.advance(TimeDelta::seconds(1));
            world.clock.advance(TimeDelta::seconds(1));
        }
        assert!(take(world, &watch).is_none(), "{offset}: a second after the last beat");
        world.clock.advance(TimeDelta::seconds(3));
        assert!(take(world, &watch).is_some(), "{offset}: three seconds later");
    }
}

fn a_process_that_starts_takes_an_old_lease_at_once(world: &World) {
    beat_of_another(world, world.clock.as_ref());
    world.clock.advance(SPAN + FORGOTTEN - TimeDelta::milliseconds(1));
    assert!(take(world, &LeaseWatch::default()).is_none());
    world.clock.advance(TimeDelta::milliseconds(1));
    assert!(take(world, &LeaseWatch::default()).is_some());
}

fn a_lease_that_was_prolonged_since_the_look_is_not_taken(world: &World) {
    let watch = LeaseWatch::default();
    beat_of_another(world, world.clock.as_ref());
    assert!(take(world, &watch).is_none());
    world.clock.advance(SPAN);
    let look = watch.look(world.store.as_ref(), world.clock.as_ref()).unwrap();
    beat_of_another(world, world.clock.as_ref());
    let now = world.clock.now();
    let at = LeaseWatch::expired_at(look, now);
    assert!(!world.store.writing(|tx| tx.take_lease(NAME, uuid(2), at, now + SPAN)).unwrap());
}

/// Waits until the holder has prolonged the lease until this time.
fn wait_until_kept(world: &World, until: Timestamp) {
    while world.store.reading(|tx| tx.lease(NAME)).unwrap().unwrap().1 < until {
        thread::yield_now();
    }
}

fn work_that_does_not_write_keeps_the_lease(world: &World) {
    let lease = take(world, &LeaseWatch::default()).unwrap();
    let watch = LeaseWatch::default();
    lease.beating(|| {
        for _ in 0..6 {
            assert!(take(world, &watch).is_none());
            world.clock.advance(KEEP_AFTER);
            wait_until_kept(world, world.clock.now() + SPAN);
        }
    });
    assert!(take(world, &watch).is_none());
    world.clock.advance(SPAN);
    let other = take(world, &watch);
    assert!(other.is_some(), "it beats no longer than the work");
    assert!(lease.writing(|_| Ok(())).unwrap().is_none());
    assert_eq!(lease.keep().unwrap_err().chain().to_string(), lost().chain().to_string());
}

fn the_lease_beats_until_work_that_panics_has_ended(world: &World) {
    let lease = take(world, &LeaseWatch::default()).unwrap();
    let work = AssertUnwindSafe(|| lease.beating(|| panic!("this work fails")));
    let outcome: thread::Result<()> = panic::catch_unwind(work);
    outcome.unwrap_err();
    drop(lease);
    assert!(world.store.reading(|tx| tx.lease(NAME)).unwrap().is_none());
}

fn no_thread_takes_a_lease_of_its_own_process(world: &World) {
    let own = Arc::new(OwnLeases::default());
    let (holder, beside, of_another) = (LeaseWatch::beside(&own), LeaseWatch::beside(&own), LeaseWatch::default());
    let lease = take(world, &holder).unwrap();
    for _ in 0..4 {
        assert!(take(world, &beside).is_none());
        world.clock.advance(SPAN);
    }
    let seen = world.store.reading(|tx| tx.lease(NAME)).unwrap();
    assert!(!beside.abandoned(seen, world.clock.now()), "its holder is alive");
    assert_eq!(lease.writing(|_| Ok(7)).unwrap(), Some(7), "nobody else took it");
    // Another process cannot know that.
    assert!(take(world, &of_another).is_none());
    world.clock.advance(SPAN);
    let other = take(world, &of_another).unwrap();
    assert!(lease.writing(|_| Ok(())).unwrap().is_none());
    drop((lease, other));
    assert!(take(world, &beside).is_some(), "it was released");
}
