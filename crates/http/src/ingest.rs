//! Waiting for a group commit without holding a thread.

use tokio::sync::oneshot;
use trailkeeper_domain::event::Event;
use trailkeeper_domain::ingest::Ingest;
use trailkeeper_domain::{Error, Result};

/// Hands events to the writers and waits until they are durable: for each, in order, whether it was new.
///
/// When the client goes away meanwhile, the events are stored all the same; sent again with their ids,
/// they are known.
pub async fn store(ingest: &Ingest, events: Vec<Event>) -> Result<Vec<bool>> {
    if events.is_empty() {
        return Ok(Vec::new());
    }
    let (done, outcome) = oneshot::channel();
    // A client that went away is no reason to fail the group, so nobody may be there to listen.
    ingest.submit(events, Box::new(move |result| drop(done.send(result))))?;
    outcome
        .await
        .unwrap_or_else(|_| Err(Error::internal("the writer dropped a request; its panic is above in the log")))
}
