//! What the streams of a server share.

use std::sync::Arc;
use std::sync::atomic::AtomicBool;

use parking_lot::Mutex;
use tokio::sync::watch;
use trailkeeper_auth::Access;
use trailkeeper_domain::clock::Clock;
use trailkeeper_domain::ports::Store;
use trailkeeper_domain::{Error, Result};

use crate::lease::Lease;
use crate::sender::Sender;

/// What all streams of a server share.
pub struct Shared {
    pub store: Arc<dyn Store>,
    pub access: Arc<Access>,
    pub clock: Arc<dyn Clock>,
    pub sender: Arc<Sender>,
    pub lease: Mutex<Lease>,
    /// Whether the lease may be trusted: a step begins only then.
    pub is_ours: AtomicBool,
    /// The number up to which events are settled, as it was read last.
    pub settled: watch::Sender<i64>,
}

impl Shared {
    /// Runs work with the database on a thread that may block.
    pub async fn blocking<T: Send + 'static>(
        self: &Arc<Self>,
        work: impl FnOnce(&Self) -> Result<T> + Send + 'static,
    ) -> Result<T> {
        let shared = Arc::clone(self);
        let done = tokio::task::spawn_blocking(move || work(&shared)).await;
        done.unwrap_or_else(|_| Err(Error::internal("a step of a stream panicked; its message is above in the log")))
    }
}
