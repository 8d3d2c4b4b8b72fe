//! The merger's thread.

use std::collections::{HashMap, HashSet};
use std::panic::{self, AssertUnwindSafe};
use std::sync::Arc;
use std::time::Duration;

use chrono::TimeDelta;
use parking_lot::{Condvar, Mutex};
use trailkeeper_domain::clock::{Clock, Entropy};
use trailkeeper_domain::ports::Store;
use trailkeeper_domain::scope::Scope;
use trailkeeper_domain::time::Timestamp;
use trailkeeper_domain::{Error, Result};

use super::lease::Lease;
use super::pass::{Merged, merge_waiting};
use crate::engine::scope_name;

/// The pause between two housekeepings, which remove sheets of an interrupted rebuild.
const HOUSEKEEPING: TimeDelta = TimeDelta::hours(1);
/// The pause before a scope with an unreadable row is tried again.
const RETRY_AFTER: TimeDelta = TimeDelta::minutes(1);
/// The pause before the same unreadable row is logged again.
const LOG_AGAIN: TimeDelta = TimeDelta::hours(1);
/// The most steps of the store's background work in one pass.
const STEPS: usize = 16;
/// The most sheets of other generations that one transaction removes.
const REMOVED_AT_ONCE: usize = 1_000;

/// The signal by which the thread is stopped.
#[derive(Default)]
pub struct Signal {
    stopped: Mutex<bool>,
    changed: Condvar,
}

impl Signal {
    /// Asks the thread to end.
    pub fn stop(&self) {
        *self.stopped.lock() = true;
        self.changed.notify_all();
    }

    fn is_stopped(&self) -> bool {
        *self.stopped.lock()
    }

    /// Waits until the thread is to end, at most for `wait`. Returns whether it is to end.
    fn stopped_within(&self, wait: Duration) -> bool {
        let mut stopped = self.stopped.lock();
        self.changed.wait_while_for(&mut stopped, |stopped| !*stopped, wait);
        *stopped
    }
}

/// The state of the thread between two passes.
pub struct Worker {
    store: Arc<dyn Store>,
    clock: Arc<dyn Clock>,
    entropy: Arc<dyn Entropy>,
    signal: Arc<Signal>,
    housekept_at: Option<Timestamp>,
    /// The error of the last pass.
    failing: Option<String>,
    unreadable: HashMap<Scope, Unreadable>,
}

/// A scope that could not be merged.
struct Unreadable {
    row: String,
    retry_at: Timestamp,
    logged_at: Timestamp,
}

impl Worker {
    /// The state before the first pass.
    pub fn new(store: Arc<dyn Store>, clock: Arc<dyn Clock>, entropy: Arc<dyn Entropy>, signal: Arc<Signal>) -> Self {
        Self { store, clock, entropy, signal, housekept_at: None, failing: None, unreadable: HashMap::new() }
    }

    /// Merges and waits, until the signal stops it.
    pub fn work(&mut self, every: Duration) {
        loop {
            // A panic must not end the thread: without a merger, answers become slower and slower.
            if let Ok(pass) = panic::catch_unwind(AssertUnwindSafe(|| self.pass())) {
                self.report(pass);
            } else {
                tracing::error!("the merger panicked; it continues with its next pass");
            }
            if self.signal.stopped_within(every) {
                return;
            }
        }
    }

    fn pass(&mut self) -> Result<()> {
        let now = self.clock.now();
        // Merging works also if the housekeeping fails.
        let housekept = self.keep_house(now);
        let left_out: HashSet<Scope> =
            self.unreadable.iter().filter(|(_, known)| now < known.retry_at).map(|(scope, _)| *scope).collect();
        let signal = Arc::clone(&self.signal);
        let merged =
            merge_waiting(self.store.as_ref(), self.clock.as_ref(), self.entropy.as_ref(), left_out.clone(), &|| {
                signal.is_stopped()
            })?;
        if let Some(merged) = merged {
            self.note(now, &left_out, merged);
        }
        housekept.and(self.maintain())
    }

    /// Takes steps of the store's background work. The next pass continues it.
    fn maintain(&self) -> Result<()> {
        for _ in 0..STEPS {
            if self.signal.is_stopped() || !self.store.maintain()? {
                break;
            }
        }
        Ok(())
    }

    fn keep_house(&mut self, now: Timestamp) -> Result<()> {
        let is_due = self.housekept_at.is_none_or(|last| now < last || last + HOUSEKEEPING <= now);
        if is_due && self.remove_other_generations()? {
            self.housekept_at = Some(now);
        }
        Ok(())
    }

    /// Removes the sheets of an interrupted rebuild; `false` if another process holds the lease, which may be a rebuild.
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

    fn note(&mut self, now: Timestamp, left_out: &HashSet<Scope>, merged: Merged) {
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
            let known = before.remove(&scope).filter(|known| known.row == row && now < known.logged_at + LOG_AGAIN);
            if known.is_none() {
                tracing::error!(
                    scope = scope_name(scope),
                    "{row}; the new events of this scope stay unmerged; run `trailkeeper verify`, then `trailkeeper rebuild`"
                );
            }
            let logged_at = known.map_or(now, |known| known.logged_at);
            self.unreadable.insert(scope, Unreadable { row, retry_at: now + RETRY_AFTER, logged_at });
        }
        // Scopes that were not tried are still unreadable; after a complete pass, the others were merged.
        before.retain(|scope, _| left_out.contains(scope) || !merged.finished);
        self.unreadable.extend(before);
    }

    fn report(&mut self, pass: Result<()>) {
        let failure = match pass {
            Ok(()) => {
                if self.failing.take().is_some() {
                    tracing::info!("merging works again");
                }
                return;
            }
            // One outage gives different errors one after the other, and is logged once.
            Err(Error::Unavailable { .. } | Error::Overloaded { .. }) if self.failing.is_some() => return,
            Err(error) => error.chain().to_string(),
        };
        if self.failing.as_ref() != Some(&failure) {
            tracing::warn!("merging failed, and is tried again until it works: {failure}");
            self.failing = Some(failure);
        }
    }
}
