//! The result of a rebuild.

/// The result of a rebuild.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Rebuilt {
    /// The number of events that were counted.
    pub events: u64,
    /// The number of sheets of the new generation.
    pub sheets: u64,
    /// The bytes of their payloads.
    pub bytes: u64,
    /// The number of runs of the index of events.
    pub runs: u64,
    /// The events whose pages got other keys; `None` if all had those of the rule.
    pub rewritten: Option<Rewritten>,
    /// The new generation, which is the current one now; the greatest one of all buckets.
    pub generation: i64,
}

impl Rebuilt {
    /// Adds the result in another bucket.
    pub(super) fn add(&mut self, other: Self) {
        self.events += other.events;
        self.sheets += other.sheets;
        self.bytes += other.bytes;
        self.runs += other.runs;
        self.generation = self.generation.max(other.generation);
    }
}

/// The result of a walk that gives pages the keys of another rule.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Rewritten {
    /// The number of events whose page got another key.
    pub changed: u64,
    /// The number of events that got none, because the database has lost the name of their page.
    pub missing: u64,
}
