//! What is wrong with a payload, and where.

use std::fmt;

/// Why a payload is not a sheet. The caller knows the row and adds it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct CodecError {
    /// Where in the payload, in bytes from its beginning.
    pub offset: usize,
    /// What was found there.
    pub flaw: Flaw,
}

/// What is wrong.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Flaw {
    /// It ends too early.
    Truncated,
    /// A version that this program does not know.
    UnknownVersion(u8),
    /// The bytes are not those that were written.
    Checksum,
    /// A facet that this program does not know.
    UnknownFacet(u8),
    /// A facet that is repeated or out of order.
    FacetOrder(u8),
    /// A number that is not written in its shortest form or exceeds 64 bits.
    Number,
    /// More than the bytes that follow can hold.
    Length(u64),
    /// An id beyond the largest.
    IdRange,
    /// A cell or a facet that counts nothing.
    Empty,
    /// A width of packed numbers beyond 32 bits.
    Width(u8),
    /// A set with more or fewer ids than its head says.
    Cardinality,
    /// A reference to something that is not an equal set of an earlier facet.
    Reference,
    /// References that stand for more ids than the payload may hold.
    TooManyReferences,
    /// Bytes after the last set of a facet or of a body.
    Trailing,
}

impl CodecError {
    pub(crate) fn new(offset: usize, flaw: Flaw) -> Self {
        Self { offset, flaw }
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
            Self::Length(length) => write!(f, "{length} is more than the bytes that follow can hold"),
            Self::IdRange => f.write_str("an id exceeds the largest one"),
            Self::Empty => f.write_str("something that counts nothing is written out"),
            Self::Width(width) => write!(f, "{width} bits are too wide for an id; 32 are the most"),
            Self::Cardinality => f.write_str("a set has more or fewer ids than its head says"),
            Self::Reference => f.write_str("a reference does not lead to an equal set of an earlier facet"),
            Self::TooManyReferences => f.write_str("references stand for more ids than a payload of this size may"),
            Self::Trailing => f.write_str("bytes are left over"),
        }
    }
}

impl std::error::Error for CodecError {}
