//! The errors of decoding a payload.

use std::fmt;

use trailkeeper_postings::bits::{ByteError, ByteFlaw};

/// The error of a payload that is not a sheet. The caller knows the row and adds it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct CodecError {
    /// The offset in the payload, in bytes.
    pub offset: usize,
    /// The flaw at the offset.
    pub flaw: Flaw,
}

/// A flaw of a payload.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Flaw {
    /// The payload ends too early.
    Truncated,
    /// The version, which this program does not know.
    UnknownVersion(u8),
    /// The checksum differs from that of the bytes.
    Checksum,
    /// A facet that this program does not know.
    UnknownFacet(u8),
    /// A facet that is repeated or out of order.
    FacetOrder(u8),
    /// A number that is not written in its shortest form or exceeds 64 bits.
    Number,
    /// A length or a number of items that the bytes after it cannot contain.
    Length(u64),
    /// An id that exceeds the largest possible one.
    IdRange,
    /// A cell or a facet that counts nothing.
    Empty,
    /// A width of packed numbers that exceeds 32 bits.
    Width(u8),
    /// A set whose number of ids differs from that in its head.
    Cardinality,
    /// A reference to something that is not an equal set of an earlier facet.
    Reference,
    /// References to more ids than a payload of this size may contain.
    TooManyReferences,
    /// Bytes after the last set of a facet or of a body.
    Trailing,
}

impl CodecError {
    pub(crate) fn new(offset: usize, flaw: Flaw) -> Self {
        Self { offset, flaw }
    }
}

impl From<ByteError> for CodecError {
    fn from(error: ByteError) -> Self {
        let flaw = match error.flaw {
            ByteFlaw::Truncated => Flaw::Truncated,
            ByteFlaw::Number => Flaw::Number,
            ByteFlaw::Length(length) => Flaw::Length(length),
            ByteFlaw::Width(width) => Flaw::Width(width),
            ByteFlaw::Checksum => Flaw::Checksum,
            ByteFlaw::UnknownVersion(version) => Flaw::UnknownVersion(version),
            ByteFlaw::Trailing => Flaw::Trailing,
        };
        Self::new(error.offset, flaw)
    }
}

impl fmt::Display for CodecError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "the sheet's payload is unreadable at byte {}: {}", self.offset, self.flaw)
    }
}

impl fmt::Display for Flaw {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Truncated => f.write_str("it ends too early"),
            Self::UnknownVersion(version) => {
                write!(f, "version {version} is unknown; a newer program wrote it, use that one")
            }
            Self::Checksum => f.write_str("the checksum differs from its bytes; rebuild the sheet from its events"),
            Self::UnknownFacet(code) => {
                write!(f, "facet {code} is unknown; a newer program wrote it, use that one")
            }
            Self::FacetOrder(code) => write!(f, "facet {code} is repeated or out of order"),
            Self::Number => f.write_str("a number is not in its shortest form or exceeds 64 bits"),
            Self::Length(length) => write!(f, "{length} is more than the bytes after it can contain"),
            Self::IdRange => f.write_str("an id exceeds the largest one"),
            Self::Empty => f.write_str("a cell or a facet counts nothing"),
            Self::Width(width) => write!(f, "a width of {width} bits exceeds the 32 bits of an id"),
            Self::Cardinality => f.write_str("the number of ids of a set differs from that in its head"),
            Self::Reference => f.write_str("a reference does not lead to an equal set of an earlier facet"),
            Self::TooManyReferences => {
                f.write_str("references lead to more ids than a payload of this size may contain")
            }
            Self::Trailing => f.write_str("bytes are left over"),
        }
    }
}

impl std::error::Error for CodecError {}

impl std::error::Error for Flaw {}
