//! Counts of the things that happened in histories.

use std::ops::AddAssign;

/// How often each thing happened.
#[derive(Debug, Default)]
pub(crate) struct Seen {
    pub(crate) events: usize,
    pub(crate) known: usize,
    pub(crate) others: usize,
    pub(crate) rolled_back: usize,
    pub(crate) merged_deltas: u64,
    pub(crate) replaced_sheets: u64,
    pub(crate) counted_days: usize,
    pub(crate) long_sheets: usize,
    pub(crate) faults: usize,
    pub(crate) rebuilds: usize,
    pub(crate) changed_rules: usize,
    pub(crate) questions: usize,
    pub(crate) recalled: usize,
    pub(crate) dropped: usize,
}

impl AddAssign for Seen {
    fn add_assign(&mut self, other: Self) {
        self.events += other.events;
        self.known += other.known;
        self.others += other.others;
        self.rolled_back += other.rolled_back;
        self.merged_deltas += other.merged_deltas;
        self.replaced_sheets += other.replaced_sheets;
        self.counted_days += other.counted_days;
        self.long_sheets += other.long_sheets;
        self.faults += other.faults;
        self.rebuilds += other.rebuilds;
        self.changed_rules += other.changed_rules;
        self.questions += other.questions;
        self.recalled += other.recalled;
        self.dropped += other.dropped;
    }
}

impl Seen {
    /// Checks that everything that can happen in a history has happened.
    pub(crate) fn covers_everything(&self) {
        let counts = [
            self.events,
            self.known,
            self.others,
            self.rolled_back,
            usize::try_from(self.merged_deltas).unwrap(),
            usize::try_from(self.replaced_sheets).unwrap(),
            self.counted_days,
            self.long_sheets,
            self.faults,
            self.rebuilds,
            self.recalled,
            self.dropped,
        ];
        assert!(counts.iter().all(|count| *count > 0), "some of it never happened: {self:?}");
    }
}
