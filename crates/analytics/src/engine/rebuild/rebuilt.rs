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
    /// The number of events whose page got another key; `None` if all had those of the rule.
    pub rewritten: Option<u64>,
    /// The new generation, which is the current one now.
    pub generation: i64,
}
