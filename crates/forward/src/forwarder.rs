//! The thread of a server that sends the events of streams.

use std::collections::HashMap;
use std::io;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::{self, JoinHandle};
use std::time::Duration;

use parking_lot::Mutex;
use tokio::runtime::{Builder, Runtime};
use tokio::sync::watch;
use tokio::task::AbortHandle;
use tokio::time::sleep;
use trailkeeper_auth::Access;
use trailkeeper_domain::Result;
use trailkeeper_domain::clock::{Clock, Entropy};
use trailkeeper_domain::id::StreamId;
use trailkeeper_domain::ports::Store;
use trailkeeper_domain::stream::{MAX_STREAMS, StreamState};

use crate::lease::Lease;
use crate::sender::Sender;
use crate::shared::Shared;
use crate::stream_task;

/// The pause between two looks at the list of streams.
const LOOK_EVERY: Duration = Duration::from_millis(500);
/// The pause between two looks for new events, while streams wait for some.
const NEWS_EVERY: Duration = Duration::from_millis(100);
/// The most threads that use the database or resolve names at the same time.
const THREADS: usize = 8;
/// How long the end of the thread waits for calls of the database.
const STOP_TIMEOUT: Duration = Duration::from_secs(5);

/// Sends the events of all streams while this server holds the lease, until it is stopped or dropped.
pub struct Forwarder {
    /// Dropping it ends the thread.
    stop: Option<watch::Sender<()>>,
    thread: Option<JoinHandle<()>>,
}

impl Forwarder {
    /// Starts the thread.
    pub fn start(
        store: Arc<dyn Store>,
        access: Arc<Access>,
        clock: Arc<dyn Clock>,
        entropy: &dyn Entropy,
        sender: Arc<Sender>,
    ) -> io::Result<Self> {
        let lease = Mutex::new(Lease::new(Arc::clone(&store), Arc::clone(&clock), entropy));
        let (is_ours, settled) = (AtomicBool::new(false), watch::Sender::new(0));
        let shared = Arc::new(Shared { store, access, clock, sender, lease, is_ours, settled });
        let runtime = Builder::new_current_thread().enable_all().max_blocking_threads(THREADS).build()?;
        let (stop, stopped) = watch::channel(());
        let thread = thread::Builder::new().name("streams".to_owned()).spawn(move || run(runtime, &shared, stopped))?;
        Ok(Self { stop: Some(stop), thread: Some(thread) })
    }

    /// Ends the thread. A message that is being sent is given up, and sent again later.
    pub fn stop(mut self) {
        self.end();
    }

    fn end(&mut self) {
        drop(self.stop.take());
        if let Some(thread) = self.thread.take() {
            // The thread has no result.
            drop(thread.join());
        }
    }
}

impl Drop for Forwarder {
    fn drop(&mut self) {
        self.end();
    }
}

fn run(runtime: Runtime, shared: &Arc<Shared>, stopped: watch::Receiver<()>) {
    runtime.block_on(supervise(shared, stopped));
    runtime.shutdown_timeout(STOP_TIMEOUT);
    if let Err(error) = shared.lease.lock().release() {
        tracing::debug!(error = %error.chain(), "the lease on streams could not be released; it runs out");
    }
}

async fn supervise(shared: &Arc<Shared>, mut stopped: watch::Receiver<()>) {
    let mut tasks: HashMap<StreamId, AbortHandle> = HashMap::new();
    let news = tokio::spawn(look_for_news(Arc::clone(shared)));
    let mut is_failing = false;
    loop {
        match shared.blocking(due_streams).await {
            Ok(due) => {
                is_failing = false;
                tasks.retain(|_, task| !task.is_finished());
                match due {
                    None => tasks.drain().for_each(|(_, task)| task.abort()),
                    Some(due) => {
                        for id in due {
                            tasks.entry(id).or_insert_with(|| {
                                tokio::spawn(stream_task::run(Arc::clone(shared), id)).abort_handle()
                            });
                        }
                    }
                }
            }
            Err(error) => {
                // A lease that cannot be prolonged runs out.
                shared.is_ours.store(shared.lease.lock().is_held(), Ordering::SeqCst);
                let is_first = !std::mem::replace(&mut is_failing, true);
                if is_first {
                    tracing::warn!(error = %error.chain(), "streams cannot be read; they go on when the database answers");
                }
            }
        }
        // The sender is dropped, never used.
        let stop = stopped.changed();
        if tokio::time::timeout(LOOK_EVERY, stop).await.is_ok() {
            break;
        }
    }
    news.abort();
    for task in tasks.into_values() {
        task.abort();
    }
}

/// The streams that are due, if this server holds the lease; `None` if it does not. It takes the lease only if there is a
/// stream that is not paused: a server without streams writes nothing.
fn due_streams(shared: &Shared) -> Result<Option<Vec<StreamId>>> {
    let streams = shared.store.reading(|tx| tx.streams(None, MAX_STREAMS))?;
    let mut lease = shared.lease.lock();
    let has_work = streams.iter().any(|stream| stream.state != StreamState::Paused);
    let held = if has_work { lease.hold() } else { lease.release().map(|()| false) };
    // A lease that cannot be prolonged is trusted for as long as no other server can have it.
    shared.is_ours.store(lease.is_held(), Ordering::SeqCst);
    if !held? {
        return Ok(None);
    }
    let now = shared.clock.now();
    Ok(Some(streams.into_iter().filter(|stream| stream.is_due(now)).map(|stream| stream.id).collect()))
}

/// Reads the number up to which events are settled, again and again, while a stream waits for it.
async fn look_for_news(shared: Arc<Shared>) {
    loop {
        sleep(NEWS_EVERY).await;
        if shared.settled.receiver_count() == 0 {
            continue;
        }
        match shared.blocking(|shared| shared.store.settled()).await {
            Ok(settled) => {
                shared.settled.send_if_modified(|known| std::mem::replace(known, settled) != settled);
            }
            Err(error) => {
                tracing::debug!(error = %error.chain(), "the database does not say whether there are new events");
            }
        }
    }
}
