//! Numbers as bytes: varints, packed blocks, checksums, and the reader of a payload.
//!
//! Sheets, deltas and runs are made of these. Reading never panics, and never allocates more than a fixed multiple of the
//! bytes that are there.

mod checksum;
mod error;
mod framed;
mod packed;
mod reader;
mod varint;

pub use checksum::{CHECKSUM_LEN, checksum, seal, unsealed};
pub use error::{ByteError, ByteFlaw};
pub use framed::{Framed, put_framed};
pub use packed::{MAX_WIDTH, Packed, load, pack, packed_len, width};
pub use reader::Reader;
pub use varint::{put_number, unzigzag, varint_len, zigzag};
