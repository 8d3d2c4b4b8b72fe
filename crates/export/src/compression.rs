//! Compression of a file while it is written.

use std::io::{self, Write};

use flate2::write::GzEncoder;
use trailkeeper_domain::{Error, Result};
use zstd::stream::write::Encoder as ZstdEncoder;

/// The compression of a whole file.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Compression {
    /// None.
    None,
    /// gzip.
    Gzip,
    /// Zstandard.
    Zstd,
}

impl Compression {
    /// The name as a content coding of HTTP; `None` for no compression.
    pub fn coding(self) -> Option<&'static str> {
        match self {
            Self::None => None,
            Self::Gzip => Some("gzip"),
            Self::Zstd => Some("zstd"),
        }
    }
}

/// The compressed bytes of what was written, in memory.
pub struct Compressor {
    compression: Compression,
    state: State,
}

enum State {
    None(Vec<u8>),
    Gzip(GzEncoder<Vec<u8>>),
    Zstd(ZstdEncoder<'static, Vec<u8>>),
}

impl State {
    fn new(compression: Compression, out: Vec<u8>) -> io::Result<Self> {
        Ok(match compression {
            Compression::None => Self::None(out),
            Compression::Gzip => Self::Gzip(GzEncoder::new(out, flate2::Compression::new(5))),
            Compression::Zstd => Self::Zstd(ZstdEncoder::new(out, 3)?),
        })
    }

    fn finish(self) -> io::Result<Vec<u8>> {
        match self {
            Self::None(out) => Ok(out),
            Self::Gzip(encoder) => encoder.finish(),
            Self::Zstd(encoder) => encoder.finish(),
        }
    }
}

impl Compressor {
    /// An empty file.
    pub fn new(compression: Compression) -> Result<Self> {
        let state = State::new(compression, Vec::new()).map_err(Error::internal)?;
        Ok(Self { compression, state })
    }

    /// Appends to the file.
    pub fn write(&mut self, bytes: &[u8]) -> Result<()> {
        match &mut self.state {
            State::None(out) => out.write_all(bytes),
            State::Gzip(encoder) => encoder.write_all(bytes),
            State::Zstd(encoder) => encoder.write_all(bytes),
        }
        .map_err(Error::internal)
    }

    /// The bytes that are ready.
    pub fn take(&mut self) -> Vec<u8> {
        std::mem::take(match &mut self.state {
            State::None(out) => out,
            State::Gzip(encoder) => encoder.get_mut(),
            State::Zstd(encoder) => encoder.get_mut(),
        })
    }

    /// The bytes of everything that was written. What is written later is a member of its own, as both formats allow it: the
    /// file can be cut here and be continued.
    pub fn take_whole(&mut self) -> Result<Vec<u8>> {
        let next = State::new(self.compression, Vec::new()).map_err(Error::internal)?;
        std::mem::replace(&mut self.state, next).finish().map_err(Error::internal)
    }

    /// The rest of the file.
    pub fn finish(self) -> Result<Vec<u8>> {
        self.state.finish().map_err(Error::internal)
    }
}
