//! The result of a run.

use trailkeeper_domain::scope::Scope;
use trailkeeper_domain::time::Timestamp;

use crate::engine::merge::Plan;
use crate::engine::postings::NewRuns;

/// A part of the backlog that could not be merged.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum LeftOut {
    /// A pass that stays open. Scopes of it have an unreadable row; the other ones are merged.
    Pass(i64),
    /// A delta that is unreadable itself.
    Delta(i64),
    /// The runs of a scope and month, one of which is unreadable. Only their merging is left out: new events have runs of
    /// their own.
    Runs(Scope, Timestamp),
}

/// The result of a run.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Merged {
    /// Whether the run came to the end of what waited; `false` if it was stopped or lost the lease.
    pub finished: bool,
    /// The number of deltas that were removed, because all scopes count them.
    pub deltas: u64,
    /// The number of sheets that were written.
    pub sheets_written: u64,
    /// The number of sheets that were replaced by those.
    pub sheets_replaced: u64,
    /// The number of runs of the index of events that were written with sheets.
    pub runs_written: u64,
    /// The bytes of the deltas and sheets that were read.
    pub bytes_read: u64,
    /// The bytes of the sheets and runs that were written.
    pub bytes_written: u64,
    /// The number of transactions that wrote.
    pub transactions: u64,
    /// What was left as it is because of an unreadable row; each with the row and its error.
    pub unreadable: Vec<(LeftOut, String)>,
}

impl Merged {
    /// Adds the result of a run in another bucket.
    pub(super) fn add(&mut self, other: Self) {
        self.finished &= other.finished;
        self.deltas += other.deltas;
        self.sheets_written += other.sheets_written;
        self.sheets_replaced += other.sheets_replaced;
        self.runs_written += other.runs_written;
        self.bytes_read += other.bytes_read;
        self.bytes_written += other.bytes_written;
        self.transactions += other.transactions;
        self.unreadable.extend(other.unreadable);
    }

    /// Counts what a transaction has written.
    pub(crate) fn count(&mut self, plan: &Plan, runs: &NewRuns) {
        self.runs_written += runs.len();
        self.bytes_written += runs.bytes();
        self.sheets_written += plan.sheets_written();
        self.sheets_replaced += plan.sheets_replaced();
        self.bytes_read += plan.bytes_read();
        self.bytes_written += plan.bytes_written();
        self.transactions += 1;
    }
}
