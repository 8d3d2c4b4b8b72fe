//! The result of a run.

use crate::engine::merge::Plan;

/// A part of the backlog that could not be merged.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum LeftOut {
    /// A pass that stays open. Scopes of it have an unreadable row; the other ones are merged.
    Pass(i64),
    /// A delta that is unreadable itself.
    Delta(i64),
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
    /// The bytes of the deltas and sheets that were read.
    pub bytes_read: u64,
    /// The bytes of the sheets that were written.
    pub bytes_written: u64,
    /// The number of transactions that wrote.
    pub transactions: u64,
    /// What was left as it is because of an unreadable row; each with the row and its error.
    pub unreadable: Vec<(LeftOut, String)>,
}

impl Merged {
    /// Counts a transaction that has written this plan.
    pub(crate) fn count(&mut self, plan: &Plan) {
        self.sheets_written += plan.sheets_written();
        self.sheets_replaced += plan.sheets_replaced();
        self.bytes_read += plan.bytes_read();
        self.bytes_written += plan.bytes_written();
        self.transactions += 1;
    }
}
