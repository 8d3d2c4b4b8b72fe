//! The merger's thread: it goes around all buckets.

use std::panic::{self, AssertUnwindSafe};
use std::sync::Arc;
use std::time::Duration;

use trailkeeper_domain::bucket::Bucket;
use trailkeeper_domain::clock::{Clock, Entropy};
use trailkeeper_domain::ports::Store;
use trailkeeper_domain::scope::Scope;
use trailkeeper_domain::{Error, Result};

use super::finished::Finished;
use super::settings::MergerSettings;
use super::signal::Signal;
use super::worker::Worker;
use crate::engine::lease::{LeaseWatch, NAME, OwnLeases};

/// The pause between two looks at the leases of other processes.
const LOOK: Duration = Duration::from_millis(500);
/// The most steps of the store's background work in one round.
const STEPS: usize = 16;

/// The state of the thread between two rounds.
pub struct Rounds {
    store: Arc<dyn Store>,
    clock: Arc<dyn Clock>,
    entropy: Arc<dyn Entropy>,
    signal: Arc<Signal>,
    settings: MergerSettings,
    own: Arc<OwnLeases>,
    /// One for each bucket, once the store has said how many it has. Each process begins with another bucket, so that
    /// several work side by side.
    workers: Vec<(Bucket, Worker)>,
    /// The error of the last round.
    failing: Option<String>,
}

impl Rounds {
    /// The state before the first round.
    pub fn new(
        store: Arc<dyn Store>,
        clock: Arc<dyn Clock>,
        entropy: Arc<dyn Entropy>,
        signal: Arc<Signal>,
        (settings, own): (MergerSettings, Arc<OwnLeases>),
    ) -> Self {
        Self { store, clock, entropy, signal, settings, own, workers: Vec::new(), failing: None }
    }

    /// Merges and waits, until the signal stops it.
    pub fn work(&mut self) {
        loop {
            let mut wait = self.settings.every;
            let round = self.round();
            // After an import of years, periods are left for hundreds of passes.
            if matches!(round, Ok(Finished::Some)) {
                wait = Duration::ZERO;
            }
            self.report(round.map(drop));
            if self.stopped_within(wait) {
                return;
            }
        }
    }

    /// Works on each bucket, and then for the store. Returns whether a bucket has periods left.
    fn round(&mut self) -> Result<Finished> {
        if self.workers.is_empty() {
            self.workers = self.all_workers()?;
        }
        let mut round = Ok(Finished::All);
        for (_, worker) in &mut self.workers {
            if self.signal.is_stopped() {
                break;
            }
            // A panic must not end the thread: without a merger, answers become slower and slower.
            let Ok(pass) = panic::catch_unwind(AssertUnwindSafe(|| worker.pass())) else {
                tracing::error!("the merger panicked; it continues with its next pass");
                continue;
            };
            match pass {
                Ok(Finished::Some) if round.is_ok() => round = Ok(Finished::Some),
                Ok(_) => {}
                Err(error) => {
                    let is_outage = matches!(error, Error::Unavailable { .. } | Error::Overloaded { .. });
                    round = Err(error);
                    if is_outage {
                        break;
                    }
                }
            }
        }
        self.maintain().and(round)
    }

    fn all_workers(&self) -> Result<Vec<(Bucket, Worker)>> {
        let buckets = self.store.reading(|tx| tx.buckets())?;
        let worker = |bucket| {
            let (store, clock, entropy) = (&self.store, &self.clock, &self.entropy);
            let (store, clock, entropy) = (Arc::clone(store), Arc::clone(clock), Arc::clone(entropy));
            let watch = LeaseWatch::beside(&self.own);
            let worker = Worker::new((store, bucket), clock, entropy, Arc::clone(&self.signal), self.settings, watch);
            (bucket, worker)
        };
        let mut workers: Vec<(Bucket, Worker)> = buckets.all().map(worker).collect();
        let mut random = [0; 2];
        self.entropy.fill(&mut random);
        let first = usize::from(u16::from_ne_bytes(random)) % workers.len().max(1);
        workers.rotate_left(first);
        Ok(workers)
    }

    /// Waits until the next round. Returns whether the thread is to end. The wait is shorter if a process that has a lease
    /// is gone meanwhile.
    fn stopped_within(&mut self, wait: Duration) -> bool {
        let mut left = wait;
        loop {
            let some = left.min(LOOK);
            if self.signal.stopped_within(some) {
                return true;
            }
            left -= some;
            // The next round reports an outage of the database.
            if left.is_zero() || self.takes_over().is_ok_and(|takes_over| takes_over) {
                return false;
            }
        }
    }

    /// Looks at the leases of all buckets. Returns whether the holder of one is gone.
    fn takes_over(&mut self) -> Result<bool> {
        let leases = self.store.reading(|tx| {
            let mut leases = Vec::new();
            tx.in_buckets_of(Scope::Everyone, |tx, bucket| {
                leases.push((bucket, tx.lease(NAME)?));
                Ok(())
            })?;
            Ok(leases)
        })?;
        let mut takes_over = false;
        for (bucket, worker) in &mut self.workers {
            let lease = leases.iter().find(|(of, _)| of == bucket).and_then(|(_, lease)| *lease);
            takes_over |= worker.see_lease(lease);
        }
        Ok(takes_over)
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
