//! The errors of reading a header or a page.

use std::fmt;

use crate::bits::{ByteError, ByteFlaw};

/// A flaw of a header or a page, with its offset in bytes. [`Pages`](super::pages::Pages) adds the run and the page.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Flaw {
    pub offset: usize,
    what: What,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum What {
    Bytes(ByteFlaw),
    Contradiction(&'static str),
}

impl Flaw {
    /// Bytes that can be read and make no sense.
    pub fn new(offset: usize, sentence: &'static str) -> Self {
        Self { offset, what: What::Contradiction(sentence) }
    }
}

impl From<ByteError> for Flaw {
    fn from(error: ByteError) -> Self {
        Self { offset: error.offset, what: What::Bytes(error.flaw) }
    }
}

impl fmt::Display for Flaw {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.what {
            What::Bytes(flaw) => flaw.fmt(f),
            What::Contradiction(sentence) => f.write_str(sentence),
        }
    }
}

impl std::error::Error for Flaw {}
