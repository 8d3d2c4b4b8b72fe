//! The progress of a long operation.

/// The progress of a rebuild or a verification.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Progress {
    /// The number of months that are done; for a rebuild, the number of the last event in the order of storage.
    pub done: u64,
    /// The number of all months; for a rebuild, the number of the last of all events.
    pub of: u64,
    /// The number of events that were read so far.
    pub events: u64,
}
