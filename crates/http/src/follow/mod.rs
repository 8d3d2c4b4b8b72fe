//! Listeners: requests that wait for the next events of the feed, and streams of them.
//!
//! One thread of this process looks how far the feed is readable while somebody listens, and wakes the listeners:
//!
//! ```text
//! database ◄─ every 50 ms, while somebody listens ─ Watcher ─► watch channel ─► Listener ─► its own question
//!                                                              (one number)      paced, with a permit
//! ```
//!
//! A listener that waits holds no thread, no connection of the database and no transaction. It asks the database only
//! after it was woken, and now and then in any case, because the database may have been replaced. Two bounds keep the
//! questions of many listeners from taking the database: permits, and a pace that slows down with their number.

mod listener;
mod watcher;

use std::sync::Arc;

use parking_lot::Mutex;
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use trailkeeper_domain::error::Cause;
use trailkeeper_domain::ports::Store;
use trailkeeper_domain::{Error, ErrorDetail, Result};

pub use listener::{HasLeft, Listener, Woken};

use watcher::{Shared, Watcher};

/// The number of questions that listeners ask at the same time, of the eight readers that a database has by default.
const QUESTIONS: usize = 2;

/// The listeners of this process.
pub struct Listeners {
    shared: Arc<Shared>,
    store: Arc<dyn Store>,
    max: usize,
    places: Arc<Semaphore>,
    questions: Arc<Semaphore>,
    /// Started with the first listener.
    watcher: Mutex<Option<Watcher>>,
}

impl Listeners {
    /// Room for `max` listeners, who follow the events of `store`.
    pub fn new(store: Arc<dyn Store>, max: usize) -> Self {
        let max = max.min(Semaphore::MAX_PERMITS);
        Self {
            shared: Arc::default(),
            store,
            max,
            places: Arc::new(Semaphore::new(max)),
            questions: Arc::new(Semaphore::new(QUESTIONS)),
            watcher: Mutex::default(),
        }
    }

    /// A place among the listeners, for as long as the listener exists. `has_left` says whether its client is gone.
    ///
    /// [`Error::Overloaded`] with the code `too_many_listeners` if all places are taken, [`Error::Internal`] if the system
    /// cannot start a thread.
    pub fn join(&self, has_left: HasLeft) -> Result<Listener> {
        let place = Arc::clone(&self.places).try_acquire_owned().map_err(|taken| {
            let text =
                format!("requests that wait for events or stream them take all {} places (--max-listeners)", self.max);
            Error::Overloaded { busy: ErrorDetail::new("too_many_listeners", text), cause: Cause::new(taken) }
        })?;
        let mut watcher = self.watcher.lock();
        if watcher.is_none() {
            *watcher = Some(Watcher::start(Arc::clone(&self.shared), Arc::clone(&self.store))?);
        }
        Ok(Listener::new(Arc::clone(&self.shared), place, has_left))
    }

    /// The number of listeners now.
    pub fn count(&self) -> usize {
        self.shared.listeners()
    }

    /// Waits for a permit to ask the database for a listener.
    pub async fn question(&self) -> Result<OwnedSemaphorePermit> {
        Arc::clone(&self.questions).acquire_owned().await.map_err(Error::internal)
    }

    /// Whether the server stops.
    pub fn is_stopping(&self) -> bool {
        *self.shared.stopping.borrow()
    }

    /// Ends the waiting of all listeners, of the present and of later ones.
    pub fn stop(&self) {
        self.shared.stop();
    }
}
