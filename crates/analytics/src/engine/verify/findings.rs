//! The differences that a verification finds, and its counts.

use super::difference::Difference;

/// The result of a verification.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Verified {
    /// The number of events that were recounted.
    pub events: u64,
    /// The number of sheets that were read.
    pub sheets: u64,
    /// The number of runs of the index of events that were read.
    pub runs: u64,
    /// The number of waiting deltas with events of customers that were read.
    pub deltas: u64,
    /// The number of events that were looked up by their ids.
    pub ids: u64,
    /// The number of differences that were reported.
    pub differences: u64,
    /// The number of them that are missing names. A rebuild does not repair these.
    pub missing_names: u64,
}

/// The counts of a verification so far, and the receiver of differences.
pub struct Findings<'a> {
    pub verified: Verified,
    pub each: &'a mut dyn FnMut(Difference),
}

impl Findings<'_> {
    /// Counts a difference and hands it on.
    pub fn report(&mut self, difference: Difference) {
        self.verified.differences += 1;
        (self.each)(difference);
    }
}
