//! The progress of a long operation.

/// The progress of a rebuild or a verification.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Progress {
    /// The number of periods that are done.
    pub done: u64,
    /// The number of all periods: days for a rebuild, months for a verification.
    pub of: u64,
    /// The number of events that were read so far.
    pub events: u64,
}
