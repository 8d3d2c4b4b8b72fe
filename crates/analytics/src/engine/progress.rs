//! How far a long work is.

/// How far a rebuild or a check is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Progress {
    /// Parts of the whole time that are done.
    pub done: u64,
    /// All parts: days for a rebuild, months for a check.
    pub of: u64,
    /// Events that were read so far.
    pub events: u64,
}
