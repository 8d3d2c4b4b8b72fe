//! What a process has seen of the lease: by this it decides whether the holder is gone.

use std::collections::HashSet;
use std::sync::Arc;

use chrono::TimeDelta;
use parking_lot::Mutex;
use trailkeeper_domain::Result;
use trailkeeper_domain::clock::Clock;
use trailkeeper_domain::ports::Store;
use trailkeeper_domain::time::Timestamp;
use uuid::Uuid;

/// The name of the lease in the database.
pub const NAME: &str = "sheets";

/// How long the lease lasts after it is taken and each time it is prolonged. A process that does not prolong it for longer
/// may lose it.
pub const SPAN: TimeDelta = TimeDelta::seconds(3);

/// How long ago a lease ended that a process takes at its first look, without watching it. The clocks of servers differ
/// by less.
pub(super) const FORGOTTEN: TimeDelta = TimeDelta::minutes(1);

/// A lease that ends later than this from now was taken by a wrong clock; the store counts it as expired, too.
const FAR_AHEAD: TimeDelta = TimeDelta::minutes(11);

/// What one process has seen of the lease at its last look.
///
/// A holder prolongs the lease every second. It is gone when its lease stayed the same for three seconds between two
/// looks, by the clock of the process that looks. So it does not matter how much the clocks of two servers differ.
#[derive(Default)]
pub struct LeaseWatch {
    seen: Mutex<Option<Seen>>,
    own: Arc<OwnLeases>,
}

/// The leases that threads of one process hold.
///
/// A thread takes none of another thread's, however long it was not prolonged: its holder is alive. A process that was held
/// up for longer than a lease lasts would otherwise take it from itself, and long work would begin from the first event.
#[derive(Debug, Default)]
pub struct OwnLeases(Mutex<HashSet<Uuid>>);

impl OwnLeases {
    pub(super) fn add(&self, holder: Uuid) {
        self.0.lock().insert(holder);
    }

    pub(super) fn remove(&self, holder: Uuid) {
        self.0.lock().remove(&holder);
    }

    fn has(&self, holder: Uuid) -> bool {
        self.0.lock().contains(&holder)
    }
}

#[derive(Debug, Clone, Copy)]
struct Seen {
    holder: Uuid,
    until: Timestamp,
    since: Timestamp,
    /// Whether [`LeaseWatch::abandoned`] has returned it.
    reported: bool,
}

/// The lease at a look.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Look {
    /// Nobody has it.
    Free,
    /// Another process has it.
    Taken,
    /// Its holder is gone; it ended, or would end, at this time.
    Abandoned(Timestamp),
}

impl LeaseWatch {
    /// The watch of a thread beside others of its process, whose leases these are.
    pub fn beside(own: &Arc<OwnLeases>) -> Self {
        Self { seen: Mutex::default(), own: Arc::clone(own) }
    }

    /// The leases of the process.
    pub(super) fn own(&self) -> &Arc<OwnLeases> {
        &self.own
    }

    /// Looks at the lease.
    ///
    /// # Errors
    /// Those of the store.
    pub fn look(&self, store: &dyn Store, clock: &dyn Clock) -> Result<Look> {
        let lease = store.reading(|tx| tx.lease(NAME))?;
        Ok(self.see(lease, clock.now()))
    }

    fn see(&self, lease: Option<(Uuid, Timestamp)>, now: Timestamp) -> Look {
        let mut seen = self.seen.lock();
        let Some((holder, until)) = lease else {
            *seen = None;
            return Look::Free;
        };
        if self.own.has(holder) {
            *seen = Some(Seen { holder, until, since: now, reported: false });
            return Look::Taken;
        }
        let known = seen.filter(|seen| (seen.holder, seen.until) == (holder, until) && seen.since <= now);
        let Seen { since, .. } = *seen.insert(known.unwrap_or(Seen { holder, until, since: now, reported: false }));
        let gone = now >= since + SPAN || until <= now - FORGOTTEN || until > now + FAR_AHEAD;
        if gone { Look::Abandoned(until) } else { Look::Taken }
    }

    /// Takes the lease as it was read at `now`. Returns whether its holder is gone, once for each such lease.
    pub fn abandoned(&self, lease: Option<(Uuid, Timestamp)>, now: Timestamp) -> bool {
        let look = self.see(lease, now);
        let mut seen = self.seen.lock();
        let Some(seen) = seen.as_mut().filter(|_| matches!(look, Look::Abandoned(_))) else { return false };
        !std::mem::replace(&mut seen.reported, true)
    }

    /// The time by which the store compares the end of the lease when this process takes it after `look`, at `now`. A
    /// lease that was prolonged or taken since the look ends later, and is not taken.
    pub(super) fn expired_at(look: Look, now: Timestamp) -> Timestamp {
        match look {
            Look::Free | Look::Taken => now - FORGOTTEN,
            Look::Abandoned(until) => until,
        }
    }
}
