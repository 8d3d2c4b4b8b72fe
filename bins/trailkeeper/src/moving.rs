//! Moves events of an older version to their present place, in steps beside the requests of a server.

use std::sync::Arc;
use std::time::{Duration, Instant};

use trailkeeper_domain::ports::{Moving, Store};

/// The most events that one step moves.
const EVENTS_AT_ONCE: usize = 5_000;
/// The pause before a step that could do nothing is tried again.
const WAIT: Duration = Duration::from_secs(10);
/// The pause after an error.
pub const WAIT_AFTER_ERROR: Duration = Duration::from_mins(1);
/// The time between two lines of the log about the progress.
pub const REPORT_EVERY: Duration = Duration::from_mins(1);

/// The state of the move.
pub struct Mover {
    store: Arc<dyn Store>,
    moved: u64,
    reported: Instant,
}

impl Mover {
    /// The state before the first step.
    pub fn new(store: Arc<dyn Store>) -> Self {
        Self { store, moved: 0, reported: Instant::now() }
    }

    /// One step. Returns the pause after it; `None` if nothing is left to do.
    pub fn step(&mut self) -> Option<Duration> {
        let begun = Instant::now();
        match self.store.move_rows(EVENTS_AT_ONCE) {
            Ok(Moving::Done) => {
                if self.moved > 0 {
                    tracing::info!(events = self.moved, "moved the last events of an older version");
                    self.moved = 0;
                }
                None
            }
            Ok(Moving::Moved(events)) => {
                self.moved = self.moved.saturating_add(events);
                if self.reported.elapsed() >= REPORT_EVERY {
                    tracing::info!(events = self.moved, "moving the events of an older version");
                    self.reported = Instant::now();
                }
                // The database has the other half of its time for requests.
                Some(begun.elapsed())
            }
            Ok(Moving::Waiting) => Some(WAIT),
            Err(error) => {
                tracing::warn!(
                    error = %error.chain(),
                    "moving the events of an older version failed; it goes on in a minute"
                );
                Some(WAIT_AFTER_ERROR)
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Mutex;

    use trailkeeper_domain::ports::{ReadTx, WriteTx};
    use trailkeeper_domain::{Error, Result};

    use super::*;
    use crate::background::Background;

    /// A store that gives these answers, the last first.
    struct Scripted(Mutex<Vec<Result<Moving>>>);

    impl Store for Scripted {
        fn read(&self, _: &mut dyn FnMut(&mut dyn ReadTx) -> Result<()>) -> Result<()> {
            Ok(())
        }

        fn write(&self, _: &mut dyn FnMut(&mut dyn WriteTx) -> Result<()>) -> Result<()> {
            Ok(())
        }

        fn move_rows(&self, limit: usize) -> Result<Moving> {
            assert_eq!(limit, EVENTS_AT_ONCE);
            self.0.lock().unwrap().pop().unwrap()
        }

        fn settled(&self) -> Result<i64> {
            Ok(0)
        }

        fn ready(&self) -> Result<()> {
            Ok(())
        }
    }

    fn scripted(mut answers: Vec<Result<Moving>>) -> Arc<Scripted> {
        answers.reverse();
        Arc::new(Scripted(Mutex::new(answers)))
    }

    #[test]
    fn it_pauses_as_long_as_it_works_and_longer_when_it_cannot() {
        let failure = Err(Error::unavailable("down"));
        let store =
            scripted(vec![Ok(Moving::Moved(7)), Ok(Moving::Waiting), failure, Ok(Moving::Moved(2)), Ok(Moving::Done)]);
        let mut work = Mover::new(store);
        assert!(work.step().unwrap() < WAIT);
        assert_eq!([work.step(), work.step()], [Some(WAIT), Some(WAIT_AFTER_ERROR)]);
        assert!(work.step().unwrap() < WAIT);
        assert_eq!(work.moved, 9);
        assert_eq!(work.step(), None);
    }

    #[test]
    fn it_ends_when_everything_is_moved_and_when_it_is_stopped() {
        let start = |store| {
            let mut mover = Mover::new(store);
            Background::start("mover", move |_| mover.step()).unwrap()
        };
        let store = scripted(vec![Ok(Moving::Moved(1)), Ok(Moving::Done)]);
        start(Arc::clone(&store) as Arc<dyn Store>).finish().unwrap();
        assert!(store.0.lock().unwrap().is_empty());
        // It stops in the pause of ten seconds.
        start(scripted(vec![Ok(Moving::Waiting)])).stop();
    }
}
