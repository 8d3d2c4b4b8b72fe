//! The merger's thread.

use std::collections::{HashMap, HashSet};
use std::panic::{self, AssertUnwindSafe};
use std::sync::{Arc, Condvar, Mutex, PoisonError};
use std::time::Duration;

use chrono::TimeDelta;
use trailkeeper_domain::clock::{Clock, Entropy};
use trailkeeper_domain::ports::Store;
use trailkeeper_domain::scope::Scope;
use trailkeeper_domain::time::Timestamp;
use trailkeeper_domain::{Error, Result};

use super::lease::Lease;
use super::pass::{Merged, merge_waiting};
use crate::engine::scope_name;

/// How often the store is prepared for what comes, and sheets of an interrupted rebuild are removed.
const HOUSEKEEPING: TimeDelta = TimeDelta::hours(1);
/// How long a scope with an unreadable row is left alone.
const LEFT_ALONE: TimeDelta = TimeDelta::minutes(1);
/// How often such a row is logged.
const TOLD_AGAIN: TimeDelta = TimeDelta::hours(1);
/// Sheets of other generations that are removed in one transaction.
const REMOVED_AT_ONCE: usize = 1_000;

/// Tells the thread to end.
#[derive(Default)]
pub struct Signal {
    stopped: Mutex<bool>,
    changed: Condvar,
}

impl Signal {
    /// Tells it.
    pub fn stop(&self) {
        *self.stopped.lock().unwrap_or_else(PoisonError::into_inner) = true;
        self.changed.notify_all();
    }

    fn is_stopped(&self) -> bool {
        *self.stopped.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Waits for so long, or until it is told; whether it was.
    fn stopped_within(&self, wait: Duration) -> bool {
        let stopped = self.stopped.lock().unwrap_or_else(PoisonError::into_inner);
        let waited = self.changed.wait_timeout_while(stopped, wait, |stopped| !*stopped);
        *waited.unwrap_or_else(PoisonError::into_inner).0
    }
}

/// What the thread knows from one turn to the next.
pub struct Worker {
    store: Arc<dyn Store>,
    clock: Arc<dyn Clock>,
    entropy: Arc<dyn Entropy>,
    signal: Arc<Signal>,
    kept_house_at: Option<Timestamp>,
    /// What the last turn failed with.
    failing: Option<String>,
    unreadable: HashMap<Scope, Unreadable>,
}

/// A scope that could not be merged.
struct Unreadable {
    row: String,
    retry_at: Timestamp,
    told_at: Timestamp,
}

impl Worker {
    /// Knows nothing yet.
    pub fn new(store: Arc<dyn Store>, clock: Arc<dyn Clock>, entropy: Arc<dyn Entropy>, signal: Arc<Signal>) -> Self {
        Self { store, clock, entropy, signal, kept_house_at: None, failing: None, unreadable: HashMap::new() }
    }

    /// Merges and waits, until it is told to stop.
    pub fn work(&mut self, every: Duration) {
        loop {
            // A panic is a defect of one turn; without a merger, answers become slower and slower.
            if let Ok(pass) = panic::catch_unwind(AssertUnwindSafe(|| self.pass())) {
                self.report(pass);
            } else {
                tracing::error!("the merger panicked; it goes on with its next pass");
            }
            if self.signal.stopped_within(every) {
                return;
            }
        }
    }

    fn pass(&mut self) -> Result<()> {
        let now = self.clock.now();
        // A database that refuses to be prepared can be merged all the same.
        let kept_house = self.keep_house(now);
        let left_alone: HashSet<Scope> =
            self.unreadable.iter().filter(|(_, known)| now < known.retry_at).map(|(scope, _)| *scope).collect();
        let signal = Arc::clone(&self.signal);
        let merged = merge_waiting(
            self.store.as_ref(),
            self.clock.as_ref(),
            self.entropy.as_ref(),
            left_alone.clone(),
            &|| signal.is_stopped(),
        )?;
        if let Some(merged) = merged {
            self.note(now, &left_alone, merged);
        }
        kept_house
    }

    fn keep_house(&mut self, now: Timestamp) -> Result<()> {
        if self.kept_house_at.is_none_or(|last| now < last || last + HOUSEKEEPING <= now) {
            self.store.prepare(now)?;
            if self.remove_other_generations()? {
                self.kept_house_at = Some(now);
            }
        }
        Ok(())
    }

    /// Removes what a rebuild left that did not come to its end; `false` when another process has the lease. It
    /// may be a rebuild.
    fn remove_other_generations(&self) -> Result<bool> {
        let Some(lease) = Lease::take(self.store.as_ref(), self.clock.as_ref(), self.entropy.as_ref())? else {
            return Ok(false);
        };
        loop {
            let removed = lease.writing(|tx| tx.delete_other_generations(None, REMOVED_AT_ONCE))?;
            match removed {
                None => return Ok(false),
                Some(0) => return Ok(true),
                Some(_) if self.signal.is_stopped() => return Ok(false),
                Some(_) => {}
            }
        }
    }

    fn note(&mut self, now: Timestamp, left_alone: &HashSet<Scope>, merged: Merged) {
        if merged.deltas > 0 {
            tracing::debug!(
                deltas = merged.deltas,
                sheets_written = merged.sheets_written,
                sheets_replaced = merged.sheets_replaced,
                bytes_read = merged.bytes_read,
                bytes_written = merged.bytes_written,
                transactions = merged.transactions,
                "merged"
            );
        }
        let mut before = std::mem::take(&mut self.unreadable);
        for (scope, row) in merged.unreadable {
            let known = before.remove(&scope).filter(|known| known.row == row && now < known.told_at + TOLD_AGAIN);
            if known.is_none() {
                tracing::error!(
                    scope = scope_name(scope),
                    "{row}; what is new of this scope waits unmerged; run `trailkeeper verify`, then `trailkeeper rebuild`"
                );
            }
            let told_at = known.map_or(now, |known| known.told_at);
            self.unreadable.insert(scope, Unreadable { row, retry_at: now + LEFT_ALONE, told_at });
        }
        // Of the others, those are still unreadable that were not tried; the rest went well or was not reached.
        before.retain(|scope, _| left_alone.contains(scope) || !merged.finished);
        self.unreadable.extend(before);
    }

    fn report(&mut self, pass: Result<()>) {
        let told = match pass {
            Ok(()) => {
                if self.failing.take().is_some() {
                    tracing::info!("merging goes on");
                }
                return;
            }
            // An outage has many causes, one after the other, and is one outage.
            Err(Error::Unavailable { .. } | Error::Overloaded { .. }) if self.failing.is_some() => return,
            Err(error) => error.chain().to_string(),
        };
        if self.failing.as_ref() != Some(&told) {
            tracing::warn!("merging failed, and is tried again until it works: {told}");
            self.failing = Some(told);
        }
    }
}
