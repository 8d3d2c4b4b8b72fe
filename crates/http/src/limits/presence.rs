//! How many servers share the limits.
//!
//! A server announces itself by a row among the published counts, in each window in which it has seen another one. A server
//! that is the only one announces itself once, when it starts, and writes nothing afterwards: it counts in memory.

use trailkeeper_domain::Result;
use trailkeeper_domain::clock::{self, Clock, Entropy};
use trailkeeper_domain::ports::{RequestCount, Store};
use trailkeeper_domain::time::Timestamp;
use uuid::Uuid;

use super::window;

/// The beginning of the keys of servers. No group has this name.
const PREFIX: &str = "server:";

/// The number of beats after its start during which a server assumes another one: that one may have been the only one, and
/// needs a beat to announce itself.
const CAUTIOUS_BEATS: u32 = 3;

/// What a server knows of the others.
pub struct Presence {
    /// Made at the first beat.
    id: Option<Uuid>,
    beats: u32,
    /// The last window in which this server announced itself.
    announced: Option<Timestamp>,
    servers: u64,
}

impl Presence {
    /// A server that has not looked yet.
    pub fn new() -> Self {
        Self { id: None, beats: 0, announced: None, servers: 1 }
    }

    /// Looks for the other servers, and announces this one if necessary. Returns the number of servers, this one included.
    ///
    /// # Errors
    /// Those of the store.
    pub fn beat(&mut self, store: &dyn Store, clock: &dyn Clock, entropy: &dyn Entropy) -> Result<u64> {
        let now = clock.now();
        let (current, previous) = (window::start_of(now), window::previous_start(now));
        let announced = store.reading(|tx| tx.request_count_keys(PREFIX, previous))?;
        let own = u64::from(self.announced.is_some_and(|window| window >= previous));
        let others = announced.saturating_sub(own);
        if self.beats == 0 || others > 0 && self.announced != Some(current) {
            let id = *self.id.get_or_insert_with(|| clock::new_uuid(clock, entropy));
            let row = RequestCount { key: format!("{PREFIX}{id}"), starts_at: current, requests: 1 };
            store.writing(|tx| tx.add_requests(std::slice::from_ref(&row)))?;
            self.announced = Some(current);
        }
        self.beats = self.beats.saturating_add(1);
        self.servers = if self.beats <= CAUTIOUS_BEATS { 2.max(others + 1) } else { others + 1 };
        Ok(self.servers)
    }

    /// Whether counts are published at present, so that those of past windows are to be deleted.
    pub fn is_publishing(&self, now: Timestamp) -> bool {
        let last = self.announced.is_some_and(|window| window >= window::previous_start(window::previous_start(now)));
        self.servers > 1 || last
    }
}
