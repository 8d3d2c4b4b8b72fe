//! The errors of reading bytes.

use std::fmt;

/// The error of bytes that cannot be read. The caller knows where they come from and adds it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ByteError {
    /// The offset in the payload, in bytes.
    pub offset: usize,
    /// The flaw at the offset.
    pub flaw: ByteFlaw,
}

/// A flaw of bytes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ByteFlaw {
    /// The bytes end too early.
    Truncated,
    /// A number that is not written in its shortest form or exceeds its range.
    Number,
    /// A length or a number of items that the bytes after it cannot contain.
    Length(u64),
    /// A width of packed numbers that exceeds that of the numbers.
    Width(u8),
    /// The checksum differs from that of the bytes.
    Checksum,
    /// The version, which this program does not know.
    UnknownVersion(u8),
    /// Bytes after the end.
    Trailing,
}

impl ByteError {
    /// An error at this offset.
    pub fn new(offset: usize, flaw: ByteFlaw) -> Self {
        Self { offset, flaw }
    }
}

impl fmt::Display for ByteError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "unreadable at byte {}: {}", self.offset, self.flaw)
    }
}

impl fmt::Display for ByteFlaw {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Truncated => f.write_str("the bytes end too early"),
            Self::Number => f.write_str("a number is not in its shortest form or exceeds its range"),
            Self::Length(length) => write!(f, "{length} is more than the bytes after it can contain"),
            Self::Width(width) => write!(f, "a width of {width} bits exceeds that of the numbers"),
            Self::Checksum => f.write_str("the checksum differs from its bytes; rebuild from the events"),
            Self::UnknownVersion(version) => {
                write!(f, "version {version} is unknown; a newer program wrote it, use that one")
            }
            Self::Trailing => f.write_str("bytes are left over"),
        }
    }
}

impl std::error::Error for ByteError {}

impl std::error::Error for ByteFlaw {}
