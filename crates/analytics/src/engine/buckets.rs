//! Work on every bucket of a store: each has sheets, deltas, runs and a lease of its own.

use trailkeeper_domain::Result;
use trailkeeper_domain::bucket_store::BucketStore;
use trailkeeper_domain::ports::Store;

use super::lease::Lease;
use super::progress::Progress;

/// The buckets of a store, each as a store of its own.
///
/// # Errors
/// Those of the store.
pub fn buckets_of(store: &dyn Store) -> Result<Vec<BucketStore<'_>>> {
    let buckets = store.reading(|tx| tx.buckets())?;
    Ok(buckets.all().map(|bucket| BucketStore::new(store, bucket)).collect())
}

/// Runs `work` while other threads prolong all of these leases.
pub fn beating_all<T>(leases: &[Lease<'_>], work: &mut dyn FnMut() -> T) -> T {
    match leases {
        [] => work(),
        [first, others @ ..] => first.beating(|| beating_all(others, work)),
    }
}

/// Reports the progress in one bucket after the other as one.
pub struct Joined<'a> {
    report: &'a mut dyn FnMut(Progress),
    buckets: u64,
    /// The number of buckets that are done, and their events.
    done: u64,
    events: u64,
    /// The events of the present bucket.
    present: u64,
}

impl<'a> Joined<'a> {
    /// The progress in so many buckets.
    pub fn new(buckets: usize, report: &'a mut dyn FnMut(Progress)) -> Self {
        Self { report, buckets: buckets as u64, done: 0, events: 0, present: 0 }
    }

    /// Reports progress in the present bucket.
    pub fn report(&mut self, progress: Progress) {
        self.present = progress.events;
        (self.report)(Progress {
            done: self.done * progress.of + progress.done,
            of: self.buckets * progress.of,
            events: self.events + progress.events,
        });
    }

    /// The present bucket is done.
    pub fn next(&mut self) {
        self.done += 1;
        self.events += std::mem::take(&mut self.present);
    }
}
