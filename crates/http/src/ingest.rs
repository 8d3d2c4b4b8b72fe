//! Group commits, awaited without occupying a thread.

use tokio::sync::oneshot;
use trailkeeper_domain::event::Event;
use trailkeeper_domain::ingest::Ingest;
use trailkeeper_domain::{Error, Result};

/// Hands events to the writers and waits until they are durable. Returns for each event, in order, whether it was new.
///
/// If the client disconnects meanwhile, the events are stored nevertheless. If it sends them again with the same ids,
/// they are known.
pub async fn store(ingest: &Ingest, events: Vec<Event>) -> Result<Vec<bool>> {
    if events.is_empty() {
        return Ok(Vec::new());
    }
    let (done, outcome) = oneshot::channel();
    // Sending fails if the client has disconnected. That must not fail the group.
    ingest.submit(events, Box::new(move |result| drop(done.send(result))))?;
    outcome
        .await
        .unwrap_or_else(|_| Err(Error::internal("the writer dropped a request; its panic is above in the log")))
}
