//! The merging of one bucket.

use std::collections::{HashMap, HashSet};
use std::sync::Arc;

use chrono::TimeDelta;
use trailkeeper_domain::Result;
use trailkeeper_domain::bucket::Bucket;
use trailkeeper_domain::bucket_store::BucketStore;
use trailkeeper_domain::clock::{Clock, Entropy};
use trailkeeper_domain::ports::Store;
use trailkeeper_domain::time::Timestamp;
use uuid::Uuid;

use super::finished::{Finished, finish_watching};
use super::merged::{LeftOut, Merged};
use super::pass::merge_waiting;
use super::settings::MergerSettings;
use super::signal::Signal;
use crate::engine::lease::{Lease, LeaseWatch};

/// The pause between two housekeepings, which remove sheets of an interrupted rebuild.
const HOUSEKEEPING: TimeDelta = TimeDelta::hours(1);
/// The number of waiting deltas from which on they are merged, however few events they have: each is a row to read.
const MANY_DELTAS: u64 = 1_000;
/// The pause before an unreadable row is tried again.
const RETRY_AFTER: TimeDelta = TimeDelta::minutes(1);
/// The pause before the same unreadable row is logged again.
const LOG_AGAIN: TimeDelta = TimeDelta::hours(1);
/// The pause between two looks for periods that are over and not finished. A late event removes what its periods got, and
/// each pause it is made once more at most.
const FINISHED_EVERY: TimeDelta = TimeDelta::minutes(5);
/// The most sheets of other generations that one transaction removes.
const REMOVED_AT_ONCE: usize = 1_000;

/// The state of a bucket between two passes.
pub struct Worker {
    store: Arc<dyn Store>,
    bucket: Bucket,
    clock: Arc<dyn Clock>,
    entropy: Arc<dyn Entropy>,
    signal: Arc<Signal>,
    housekept_at: Option<Timestamp>,
    /// When all periods that are over were finished.
    finished_at: Option<Timestamp>,
    unreadable: HashMap<LeftOut, Unreadable>,
    settings: MergerSettings,
    /// When deltas were first seen waiting that wait still.
    waiting_since: Option<Timestamp>,
    watch: LeaseWatch,
    /// Whether another process died while it had the lease. This one continues its work at once.
    takes_over: bool,
}

/// A part of the backlog that could not be merged.
struct Unreadable {
    row: String,
    retry_at: Timestamp,
    logged_at: Timestamp,
}

impl Worker {
    /// The state before the first pass.
    pub fn new(
        (store, bucket): (Arc<dyn Store>, Bucket),
        clock: Arc<dyn Clock>,
        entropy: Arc<dyn Entropy>,
        signal: Arc<Signal>,
        settings: MergerSettings,
        watch: LeaseWatch,
    ) -> Self {
        Self {
            store,
            bucket,
            clock,
            entropy,
            signal,
            housekept_at: None,
            finished_at: None,
            unreadable: HashMap::new(),
            settings,
            waiting_since: None,
            watch,
            takes_over: false,
        }
    }

    /// Notes what was seen of the lease. Returns whether its holder is gone, so that this process takes over at once.
    pub fn see_lease(&mut self, lease: Option<(Uuid, Timestamp)>) -> bool {
        self.takes_over |= self.watch.abandoned(lease, self.clock.now());
        self.takes_over
    }

    fn of_bucket(&self) -> BucketStore<'_> {
        BucketStore::new(self.store.as_ref(), self.bucket)
    }

    /// Merges what is due, and finishes some periods. Returns how far these are finished.
    pub fn pass(&mut self) -> Result<Finished> {
        let now = self.clock.now();
        // Merging works also if the housekeeping fails.
        let housekept = self.keep_house(now);
        let left_out: HashSet<LeftOut> =
            self.unreadable.iter().filter(|(_, known)| now < known.retry_at).map(|(left_out, _)| *left_out).collect();
        if self.is_due(now, &left_out)? {
            let signal = Arc::clone(&self.signal);
            let merged = merge_waiting(
                &self.of_bucket(),
                self.clock.as_ref(),
                self.entropy.as_ref(),
                &self.watch,
                left_out.clone(),
                &|| signal.is_stopped(),
            )?;
            if let Some(merged) = merged {
                self.waiting_since = None;
                self.takes_over = false;
                self.note(now, &left_out, merged);
            }
        }
        let finished = self.finish_periods(now);
        housekept.and(finished)
    }

    fn finish_periods(&mut self, now: Timestamp) -> Result<Finished> {
        if self.finished_at.is_some_and(|last| last <= now && now < last + FINISHED_EVERY) {
            return Ok(Finished::All);
        }
        let (store, clock, entropy) = (&self.of_bucket() as &dyn Store, self.clock.as_ref(), self.entropy.as_ref());
        let finished = finish_watching(store, clock, entropy, &self.watch, &|| self.signal.is_stopped())?;
        if finished == Finished::All {
            self.finished_at = Some(now);
        }
        Ok(finished)
    }

    /// Whether enough waits, or something waits for long enough. A pass that is not finished is continued at once.
    fn is_due(&mut self, now: Timestamp, left_out: &HashSet<LeftOut>) -> Result<bool> {
        let (waiting, passes) =
            (&self.of_bucket() as &dyn Store).reading(|tx| Ok((tx.backlog()?, tx.merge_passes()?)))?;
        if passes.iter().any(|pass| !left_out.contains(&LeftOut::Pass(pass.number))) {
            return Ok(true);
        }
        let unreadable = left_out.iter().filter(|left_out| matches!(left_out, LeftOut::Delta(_))).count() as u64;
        let deltas = waiting.deltas.saturating_sub(unreadable);
        if deltas == 0 {
            self.waiting_since = None;
            self.takes_over = false;
            return Ok(false);
        }
        let since = *self.waiting_since.get_or_insert(now);
        let waited = now.signed_duration_since(since);
        Ok(self.takes_over
            || waiting.events >= self.settings.events
            || deltas >= MANY_DELTAS
            || waited < TimeDelta::zero()
            || waited.to_std().is_ok_and(|waited| waited >= self.settings.within))
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
        let (store, clock, entropy) = (&self.of_bucket() as &dyn Store, self.clock.as_ref(), self.entropy.as_ref());
        let Some(lease) = Lease::take(store, clock, entropy, &self.watch)? else { return Ok(false) };
        lease.beating(|| {
            loop {
                let removed = lease.writing(|tx| tx.delete_other_generations(None, REMOVED_AT_ONCE))?;
                match removed {
                    None => return Ok(false),
                    Some(0) => return Ok(true),
                    Some(_) if self.signal.is_stopped() => return Ok(false),
                    Some(_) => {}
                }
            }
        })
    }

    fn note(&mut self, now: Timestamp, left_out: &HashSet<LeftOut>, merged: Merged) {
        if merged.deltas > 0 {
            tracing::debug!(
                deltas = merged.deltas,
                sheets_written = merged.sheets_written,
                sheets_replaced = merged.sheets_replaced,
                runs_written = merged.runs_written,
                bytes_read = merged.bytes_read,
                bytes_written = merged.bytes_written,
                transactions = merged.transactions,
                "merged"
            );
        }
        let mut before = std::mem::take(&mut self.unreadable);
        for (part, row) in merged.unreadable {
            let known = before.remove(&part).filter(|known| known.row == row && now < known.logged_at + LOG_AGAIN);
            if known.is_none() {
                let effect = match part {
                    LeftOut::Pass(_) | LeftOut::Delta(_) => "new events stay unmerged",
                    LeftOut::Runs(..) => "lists fail",
                };
                tracing::error!("{row}; {effect} because of it; run `trailkeeper verify`, then `trailkeeper rebuild`");
            }
            let logged_at = known.map_or(now, |known| known.logged_at);
            self.unreadable.insert(part, Unreadable { row, retry_at: now + RETRY_AFTER, logged_at });
        }
        // What was not tried is still unreadable; after a complete run, the rest was merged.
        before.retain(|part, _| left_out.contains(part) || !merged.finished);
        self.unreadable.extend(before);
    }
}
