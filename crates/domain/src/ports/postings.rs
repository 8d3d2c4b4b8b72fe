use crate::error::Result;
use crate::event::StoredEvent;
use crate::indexed_event::IndexedEvent;
use crate::scope::Scope;
use crate::time::{TimeRange, Timestamp};

/// The key of a run of the index of events.
///
/// Inside a generation, a key identifies the same content forever: numbers of runs are not used again. Therefore what
/// was read from a run can be cached by its key.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct PostingRunKey {
    /// The scope of the events.
    pub scope: Scope,
    /// The start of the UTC month in which the events occurred.
    pub month: Timestamp,
    /// The number of the run, unique inside scope and month, also among removed runs.
    pub run: u32,
}

/// A run of the index of events, without the pages that are stored apart. `trailkeeper-postings` defines the format.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PostingRun {
    /// The key of the run.
    pub key: PostingRunKey,
    /// The number of its events, removed ones included. At least 1.
    pub events: u32,
    /// What a reader needs to find its pages. A small run lies in its header as a whole.
    pub header: Vec<u8>,
    /// The encoded positions of events that were removed.
    pub removed: Option<Vec<u8>>,
}

/// Read access to the index of events, and to events by their numbers. All reads of a transaction see one snapshot.
pub trait PostingReads {
    /// Whether the runs and the waiting deltas of the current generation contain all events.
    fn has_postings(&mut self) -> Result<bool>;

    /// The runs of one scope in a generation whose months begin in `months`: the newest month first, then by number.
    fn posting_runs(&mut self, generation: i64, scope: Scope, months: TimeRange) -> Result<Vec<PostingRun>>;

    /// The scopes that have runs in a generation, in no order.
    fn posting_scopes(&mut self, generation: i64) -> Result<Vec<Scope>>;

    /// All runs of these scopes in a generation, in ascending order of keys: the key, the number of events, and the size of
    /// the header and the pages in bytes. No header is read.
    fn posting_run_keys(&mut self, generation: i64, scopes: &[Scope]) -> Result<Vec<(PostingRunKey, u32, u64)>>;

    /// Some pages of a run, in the order of `pages`. The caller limits their number, because all of them are in memory
    /// at once.
    ///
    /// [`crate::Error::Internal`] if one does not exist.
    fn posting_pages(&mut self, generation: i64, key: PostingRunKey, pages: &[u32]) -> Result<Vec<Vec<u8>>>;

    /// Whether there are pages of runs that are not visible: of one in the making, or of replaced ones.
    fn has_hidden_posting_pages(&mut self) -> Result<bool>;

    /// The events with these numbers, in the order of `seqs`. The result omits numbers that do not exist.
    fn events_by_seq(&mut self, seqs: &[i64]) -> Result<Vec<StoredEvent>>;

    /// The greatest number of an event; 0 without events.
    fn last_seq(&mut self) -> Result<i64>;

    /// Calls `each` for the events with these numbers, in any order. Numbers that do not exist are skipped.
    fn indexed_events_by_seq(&mut self, seqs: &[i64], each: &mut dyn FnMut(&IndexedEvent) -> Result<()>) -> Result<()>;

    /// Calls `each` for at most `limit` events whose numbers are greater than `after`, in the order of numbers. Events
    /// of the system tenant are among them.
    fn indexed_events(
        &mut self,
        after: i64,
        limit: usize,
        each: &mut dyn FnMut(&IndexedEvent) -> Result<()>,
    ) -> Result<()>;
}

/// Write access to the index of events. Each writer must hold the lease on the sheets.
///
/// A run is visible from the transaction that puts it until the transaction that deletes it. A large run is written in
/// three steps, so that no transaction is long: its pages, in as many transactions as necessary; the run itself,
/// together with the deletion of the runs that it replaces; then the removal of their pages.
pub trait PostingWrites {
    /// Writes pages of a run that is not visible yet, numbered from `first_page`. They must not exist.
    fn put_posting_pages(
        &mut self,
        generation: i64,
        key: PostingRunKey,
        first_page: u32,
        pages: &[Vec<u8>],
    ) -> Result<()>;

    /// Makes runs visible, with the pages that were written for them. Runs with these keys must never have existed.
    fn put_posting_runs(&mut self, generation: i64, runs: &[PostingRun]) -> Result<()>;

    /// Makes runs invisible. Keys that do not exist are skipped. The pages stay until
    /// [`Self::delete_replaced_posting_pages`] removes them.
    ///
    /// A transaction that deletes the run with the greatest number of a scope and month must also put one with a greater
    /// number, because the existing runs are the only record of the numbers that were used.
    fn delete_posting_runs(&mut self, generation: i64, keys: &[PostingRunKey]) -> Result<()>;

    /// Removes at most `limit` pages of deleted runs, of all generations. Returns the number of removed pages; less than
    /// `limit` if no others are left.
    fn delete_replaced_posting_pages(&mut self, limit: usize) -> Result<u64>;

    /// Like [`Self::delete_replaced_posting_pages`], but also removes pages of runs that were never made visible. Only
    /// for a writer that has just taken the lease: those are the remains of another one that died.
    fn sweep_posting_pages(&mut self, limit: usize) -> Result<u64>;
}
