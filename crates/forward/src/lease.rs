//! The lease on forwarding: one server at a time sends the events of all streams.
//!
//! It ends by observation, as that on the sheets does (ADR 0042): a server takes it when holder and end stayed the same for
//! [`SPAN`] of its own clock, so it does not matter how much the clocks of two servers differ. Nothing depends on it being
//! right: two servers at once would send events twice, and the position that one of them records does not fit any more.

use std::sync::Arc;

use chrono::TimeDelta;
use trailkeeper_domain::Result;
use trailkeeper_domain::bucket::Bucket;
use trailkeeper_domain::clock::{self, Clock, Entropy};
use trailkeeper_domain::ports::Store;
use trailkeeper_domain::time::Timestamp;
use uuid::Uuid;

/// The name of the lease in the database. It lies in the first bucket.
const NAME: &str = "streams";
/// How long the lease lasts after it is taken and each time it is prolonged.
const SPAN: TimeDelta = TimeDelta::seconds(8);
/// After this time its holder prolongs it.
const KEEP_AFTER: TimeDelta = TimeDelta::seconds(2);
/// How long ago a lease ended that a server takes at its first look, without watching it.
const FORGOTTEN: TimeDelta = TimeDelta::minutes(1);
/// A lease that ends later than this from now was taken by a wrong clock; the store counts it as expired, too.
const FAR_AHEAD: TimeDelta = TimeDelta::minutes(11);

/// The lease, as one server knows it.
pub struct Lease {
    store: Arc<dyn Store>,
    clock: Arc<dyn Clock>,
    holder: Uuid,
    /// When this server prolonged it last; `None` if it does not have it.
    kept_at: Option<Timestamp>,
    /// The lease of another server, and since when it is the same.
    seen: Option<(Uuid, Timestamp, Timestamp)>,
}

impl Lease {
    /// Takes nothing yet.
    pub fn new(store: Arc<dyn Store>, clock: Arc<dyn Clock>, entropy: &dyn Entropy) -> Self {
        let holder = clock::new_uuid(clock.as_ref(), entropy);
        Self { store, clock, holder, kept_at: None, seen: None }
    }

    /// Takes the lease or prolongs it, if that is possible and due. Returns whether this server has it.
    pub fn hold(&mut self) -> Result<bool> {
        let now = self.clock.now();
        match self.kept_at {
            Some(kept_at) if kept_at <= now && now < kept_at + KEEP_AFTER => return Ok(true),
            Some(_) => {
                let (holder, until) = (self.holder, now + SPAN);
                let kept = self.store.writing(|tx| {
                    tx.enter_bucket(Some(Bucket::FIRST));
                    tx.keep_lease(NAME, holder, until)
                })?;
                self.kept_at = kept.then_some(now);
                if kept {
                    return Ok(true);
                }
            }
            None => {}
        }
        self.take(now)
    }

    /// Whether this server still has the lease by its own clock, which it cannot have prolonged if it was held up.
    pub fn is_held(&self) -> bool {
        let now = self.clock.now();
        self.kept_at.is_some_and(|kept_at| kept_at <= now && now < kept_at + SPAN - KEEP_AFTER)
    }

    /// Releases the lease, if this server has it.
    pub fn release(&mut self) -> Result<()> {
        if self.kept_at.take().is_none() {
            return Ok(());
        }
        let holder = self.holder;
        self.store.writing(|tx| {
            tx.enter_bucket(Some(Bucket::FIRST));
            tx.release_lease(NAME, holder)
        })
    }

    fn take(&mut self, now: Timestamp) -> Result<bool> {
        let lease = self.store.reading(|tx| {
            tx.enter_bucket(Some(Bucket::FIRST));
            tx.lease(NAME)
        })?;
        // The store takes a lease only if it ended by this time: one that was prolonged or taken since the look did not.
        let Some(ended_by) = self.ended_by(lease, now) else { return Ok(false) };
        let (holder, until) = (self.holder, now + SPAN);
        let taken = self.store.writing(|tx| {
            tx.enter_bucket(Some(Bucket::FIRST));
            tx.take_lease(NAME, holder, ended_by, until)
        })?;
        if taken {
            (self.kept_at, self.seen) = (Some(now), None);
        }
        Ok(taken)
    }

    /// The time by which a lease that was read at `now` has ended; `None` if its holder may be alive.
    fn ended_by(&mut self, lease: Option<(Uuid, Timestamp)>, now: Timestamp) -> Option<Timestamp> {
        let Some((holder, until)) = lease else {
            self.seen = None;
            return Some(now - FORGOTTEN);
        };
        let known = self.seen.filter(|(seen, end, since)| (*seen, *end) == (holder, until) && *since <= now);
        let (.., since) = *self.seen.insert(known.unwrap_or((holder, until, now)));
        let gone = now >= since + SPAN || until <= now - FORGOTTEN || until > now + FAR_AHEAD;
        gone.then_some(until)
    }
}

#[cfg(test)]
mod tests {
    use trailkeeper_testkit::{DatabaseKind, TestEntropy, World, open_store};

    use super::*;

    /// The leases of two servers on one database.
    fn two() -> (World, Lease, Lease) {
        let world = World::new(DatabaseKind::Sqlite, |database| open_store!(database));
        let of = |seed| Lease::new(world.store.clone(), world.clock.clone(), &TestEntropy::new(seed));
        let (one, other) = (of(1), of(2));
        (world, one, other)
    }

    #[test]
    fn one_server_has_it_and_another_one_takes_it_when_it_is_unchanged_for_eight_seconds() {
        let (world, mut one, mut other) = two();
        assert!(one.hold().unwrap() && one.is_held());
        for _ in 0..5 {
            world.clock.advance(TimeDelta::seconds(3));
            assert!(!other.hold().unwrap());
            assert!(one.hold().unwrap(), "it prolongs the lease");
        }
        assert!(!other.hold().unwrap());
        world.clock.advance(TimeDelta::milliseconds(7_999));
        assert!(!one.is_held(), "a holder that was held up does not trust it");
        assert!(!other.hold().unwrap());
        world.clock.advance(TimeDelta::milliseconds(1));
        assert!(other.hold().unwrap() && other.is_held());
        assert!(!one.hold().unwrap() && !one.is_held());
    }

    #[test]
    fn a_released_lease_is_free_at_once() {
        let (_world, mut one, mut other) = two();
        assert!(one.hold().unwrap());
        other.release().unwrap();
        assert!(!other.hold().unwrap(), "only its holder releases it");
        one.release().unwrap();
        assert!(!one.is_held() && other.hold().unwrap());
    }

    #[test]
    fn clocks_of_servers_may_differ() {
        let (world, mut one, mut other) = two();
        assert!(one.hold().unwrap());
        // To the other server, the lease ended half a minute ago; it was prolonged meanwhile.
        world.clock.advance(TimeDelta::seconds(38));
        assert!(!other.hold().unwrap());
        world.clock.advance(TimeDelta::seconds(-38));
        assert!(one.hold().unwrap());
    }
}
