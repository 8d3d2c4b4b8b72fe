//! The commit of one group: one transaction for all its jobs, and a separate result for each job.

use crate::error::{Error, Result};
use crate::event::Event;
use crate::ingest::commit::Promise;
use crate::ingest::queue::Job;
use crate::ports::Store;

/// Commits the jobs in one transaction and settles the promise of each.
///
/// If the group fails for a reason that one of its jobs may have caused, each job gets its own transaction, so that a
/// bad job does not make others fail. If the database is unavailable or busy, all jobs get that error, because separate
/// transactions would only make the queue wait.
pub fn commit(store: &dyn Store, jobs: Vec<Job>) {
    let mut events = Vec::new();
    let mut waiting: Vec<(usize, Promise)> = Vec::with_capacity(jobs.len());
    for mut job in jobs {
        waiting.push((job.events.len(), job.promise));
        events.append(&mut job.events);
    }
    match insert(store, &events) {
        Ok(new) => {
            let mut new = new.into_iter();
            for (count, promise) in waiting {
                promise.settle(Ok(new.by_ref().take(count).collect()));
            }
        }
        Err(error) if waiting.len() == 1 || concerns_all(&error) => {
            for (_, promise) in waiting {
                promise.settle(Err(error.clone()));
            }
        }
        Err(_) => {
            let mut events = events.into_iter();
            for (count, promise) in waiting {
                let own: Vec<Event> = events.by_ref().take(count).collect();
                promise.settle(insert(store, &own));
            }
        }
    }
}

fn concerns_all(error: &Error) -> bool {
    matches!(error, Error::Unavailable { .. } | Error::Overloaded { .. })
}

/// Stores events in one transaction. Returns for each event, in order, whether it was new.
pub fn insert(store: &dyn Store, events: &[Event]) -> Result<Vec<bool>> {
    let new = store.writing(|tx| tx.insert_events(events))?;
    if new.len() == events.len() {
        return Ok(new);
    }
    Err(Error::internal("insert_events answered for another number of events than it was given"))
}
