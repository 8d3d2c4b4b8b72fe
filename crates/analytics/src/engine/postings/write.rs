//! Writes runs of any size in short transactions.

use trailkeeper_domain::Result;
use trailkeeper_domain::ports::{PostingRun, PostingRunKey, Store, WriteTx};
use trailkeeper_postings::run::PageSink;

use super::made::MadeRun;
use crate::engine::lease::{Lease, lost};

/// About the most bytes that one transaction writes.
const STEP: u64 = 4 << 20;
/// The most small runs that one transaction writes.
const RUNS: usize = 1_000;
/// The most pages of replaced runs that one transaction removes: 4 MiB.
const REMOVED_AT_ONCE: usize = 128;

/// The counts of what was written.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct WrittenRuns {
    /// The number of runs that were written.
    pub runs: u64,
    /// The number of runs that they replaced.
    pub replaced: u64,
    /// The bytes of their headers and pages.
    pub bytes: u64,
}

/// Writes runs of one generation. Small ones wait until they fill a transaction: call [`Self::flush`] at the end, and
/// before their scopes are read again.
pub struct RunWriter<'a> {
    store: &'a dyn Store,
    lease: &'a Lease<'a>,
    generation: i64,
    waiting: Vec<MadeRun>,
    waiting_bytes: u64,
    written: WrittenRuns,
}

impl<'a> RunWriter<'a> {
    /// A writer for this generation.
    pub(crate) fn new(store: &'a dyn Store, lease: &'a Lease<'a>, generation: i64) -> Self {
        Self { store, lease, generation, waiting: Vec::new(), waiting_bytes: 0, written: WrittenRuns::default() }
    }

    /// The counts so far, without the runs that wait.
    pub fn written(&self) -> WrittenRuns {
        self.written
    }

    /// Writes the run that `build` makes: it passes the pages to the sink, and returns the number of events and the header.
    /// The run takes the place of `replaced`.
    ///
    /// # Errors
    /// Those of `build` and of the store, and that of a lost lease.
    pub fn write(
        &mut self,
        key: PostingRunKey,
        replaced: Vec<PostingRunKey>,
        build: impl FnOnce(&mut PageSink<'_>) -> Result<(u32, Vec<u8>)>,
    ) -> Result<()> {
        let (lease, generation) = (self.lease, self.generation);
        let (mut first, mut pages, mut bytes) = (0, Vec::<Vec<u8>>::new(), 0);
        let outcome = build(&mut |number, page| {
            let len = page.len() as u64;
            if !pages.is_empty() && bytes + len > STEP {
                put_pages(lease, generation, key, first, &pages)?;
                self.written.bytes += bytes;
                (first, bytes) = (number, 0);
                pages.clear();
            }
            bytes += len;
            pages.push(page);
            Ok(())
        });
        let (events, header) = outcome?;
        if first > 0 {
            put_pages(lease, generation, key, first, &pages)?;
            self.written.bytes += bytes;
            pages.clear();
        }
        let made = MadeRun { run: PostingRun { key, events, header, removed: None }, pages, replaced };
        self.waiting_bytes += made.bytes();
        self.waiting.push(made);
        if self.waiting_bytes >= STEP || self.waiting.len() >= RUNS { self.flush() } else { Ok(()) }
    }

    /// Writes the runs that wait, and removes the pages of all replaced runs.
    ///
    /// # Errors
    /// Those of the store, and that of a lost lease.
    pub fn flush(&mut self) -> Result<()> {
        let made = std::mem::take(&mut self.waiting);
        let bytes = std::mem::take(&mut self.waiting_bytes);
        if made.is_empty() {
            return Ok(());
        }
        self.lease.writing(|tx| MadeRun::write_all(tx, self.generation, &made))?.ok_or_else(lost)?;
        let replaced: usize = made.iter().map(|made| made.replaced.len()).sum();
        self.written.runs += made.len() as u64;
        self.written.replaced += replaced as u64;
        self.written.bytes += bytes;
        if replaced > 0 && !remove_replaced_pages(self.store, self.lease)? { Err(lost()) } else { Ok(()) }
    }
}

/// Removes the pages of replaced runs in short transactions; `false` if the lease is lost.
///
/// # Errors
/// Those of the store.
pub fn remove_replaced_pages(store: &dyn Store, lease: &Lease<'_>) -> Result<bool> {
    remove_pages(store, lease, |tx| tx.delete_replaced_posting_pages(REMOVED_AT_ONCE))
}

/// Removes the pages of runs that a dead process did not finish. The next run of their place has the same number, so this
/// comes first after the lease is taken. `false` if the lease is lost.
///
/// # Errors
/// Those of the store.
pub fn sweep_pages(store: &dyn Store, lease: &Lease<'_>) -> Result<bool> {
    remove_pages(store, lease, |tx| tx.sweep_posting_pages(REMOVED_AT_ONCE))
}

/// Repeats `remove` until it removes fewer pages than it may. Nothing is written if there are none: small runs have no pages.
fn remove_pages(
    store: &dyn Store,
    lease: &Lease<'_>,
    mut remove: impl FnMut(&mut dyn WriteTx) -> Result<u64>,
) -> Result<bool> {
    while store.reading(|tx| tx.has_hidden_posting_pages())? {
        match lease.writing(&mut remove)? {
            None => return Ok(false),
            Some(removed) if removed < REMOVED_AT_ONCE as u64 => break,
            Some(_) => {}
        }
    }
    Ok(true)
}

fn put_pages(lease: &Lease<'_>, generation: i64, key: PostingRunKey, first: u32, pages: &[Vec<u8>]) -> Result<()> {
    lease.writing(|tx| tx.put_posting_pages(generation, key, first, pages))?.ok_or_else(lost)
}
