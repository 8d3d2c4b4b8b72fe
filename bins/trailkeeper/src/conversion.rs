//! The thread of a server that brings events of an older version to their present form: it moves them to their present
//! place, and then makes the index of events. It ends when both are done.

use std::io;
use std::sync::Arc;
use std::time::{Duration, Instant};

use trailkeeper_analytics::engine::rebuild::rebuild_in_background;
use trailkeeper_analytics::engine::{OwnLeases, Progress};
use trailkeeper_domain::Result;
use trailkeeper_domain::clock::{Clock, Entropy};
use trailkeeper_domain::ports::Store;

use crate::background::{Background, End};
use crate::moving::{Mover, REPORT_EVERY, WAIT_AFTER_ERROR};
use crate::wiring::Ports;

/// The pause before the merger of another process is asked for the lease again.
const WAIT_FOR_LEASE: Duration = Duration::from_secs(1);

/// Starts the thread.
pub fn start(ports: &Ports) -> io::Result<Background> {
    let mut mover = Mover::new(Arc::clone(&ports.store));
    let indexer = Indexer {
        store: Arc::clone(&ports.store),
        clock: Arc::clone(&ports.clock),
        entropy: Arc::clone(&ports.entropy),
        leases: Arc::clone(&ports.leases),
    };
    // The index is made in the order of numbers, which only the present place has.
    Background::start("conversion", move |end| mover.step().or_else(|| indexer.step(end)))
}

/// Makes the index of events.
struct Indexer {
    store: Arc<dyn Store>,
    clock: Arc<dyn Clock>,
    entropy: Arc<dyn Entropy>,
    leases: Arc<OwnLeases>,
}

impl Indexer {
    /// Makes the index unless there is one. Returns the pause before it is tried again; `None` if there is one.
    fn step(&self, end: &End) -> Option<Duration> {
        match self.is_indexed(end) {
            Ok(true) => None,
            Ok(false) => Some(WAIT_FOR_LEASE),
            Err(error) => {
                tracing::warn!(
                    error = %error.chain(),
                    "making the index of events failed; it begins again in a minute, and rows answer lists until then"
                );
                Some(WAIT_AFTER_ERROR)
            }
        }
    }

    fn is_indexed(&self, end: &End) -> Result<bool> {
        if self.store.reading(|tx| tx.has_postings())? {
            return Ok(true);
        }
        let mut reported = Instant::now();
        let rebuilt = rebuild_in_background(
            self.store.as_ref(),
            self.clock.as_ref(),
            self.entropy.as_ref(),
            &self.leases,
            &|| end.is_near(),
            &mut |Progress { done, of, .. }| {
                if reported.elapsed() >= REPORT_EVERY {
                    tracing::info!(done, of, "making the index of events from the events of an older version");
                    reported = Instant::now();
                }
            },
        )?;
        let Some(rebuilt) = rebuilt else { return Ok(false) };
        let (events, runs) = (rebuilt.events, rebuilt.runs);
        tracing::info!(events, runs, "made the index of events, which answers lists from now on");
        Ok(true)
    }
}

#[cfg(test)]
mod tests {
    use trailkeeper_auth::SystemEntropy;
    use trailkeeper_domain::clock::SystemClock;
    use trailkeeper_storage::DatabaseUrl;
    use trailkeeper_testkit::{DatabaseKind, World, event, open_store};

    use super::*;

    /// A database as an older version leaves it: events, and no index of them.
    #[test]
    fn it_ends_when_the_index_has_all_events() {
        let world = World::new(DatabaseKind::Sqlite, |database| open_store!(database));
        world.store.writing(|tx| tx.insert_events(&(1..=50).map(event).collect::<Vec<_>>()).map(drop)).unwrap();
        world.store.writing(|tx| tx.set_generation(2, false)).unwrap();
        let ports = Ports {
            url: DatabaseUrl::parse(world.database.url()).unwrap(),
            store: Arc::clone(&world.store),
            clock: Arc::new(SystemClock),
            entropy: Arc::new(SystemEntropy::default()),
            leases: Arc::default(),
        };
        start(&ports).unwrap().finish().unwrap();
        let (generation, has_postings) = world.store.reading(|tx| Ok((tx.generation()?, tx.has_postings()?))).unwrap();
        assert_eq!((generation, has_postings), (3, true));
    }
}
