//! The encoding of a delta: `{hour → sheet}` of one scope and one batch. `docs/sheets.md` describes it.

use std::collections::BTreeMap;

use chrono::DateTime;
use trailkeeper_domain::error::Context;
use trailkeeper_domain::time::Timestamp;
use trailkeeper_domain::{Error, Result};
use trailkeeper_postings::bits::{CHECKSUM_LEN, Reader, checksum, put_number, seal, unzigzag, zigzag};

use crate::sheet::{CodecError, Flaw, Sheet};

/// The first byte of a payload.
const VERSION: u8 = 1;
/// The seconds of an hour.
const HOUR: i64 = 3_600;

/// The number of the hour that contains `at`: whole hours since 1970.
pub fn hour_number(at: Timestamp) -> i64 {
    at.timestamp().div_euclid(HOUR)
}

/// Encodes the sheets of hours, which are given by [`hour_number`].
pub fn encode(hours: &BTreeMap<i64, Sheet>) -> Vec<u8> {
    let sheets: Vec<(i64, Vec<u8>)> = hours.iter().map(|(hour, sheet)| (*hour, sheet.encode())).collect();
    let mut out = Vec::with_capacity(16 + sheets.iter().map(|(_, sheet)| sheet.len() + 4).sum::<usize>());
    out.push(VERSION);
    put_number(&mut out, sheets.len() as u64);
    let mut next = None;
    for (hour, sheet) in &sheets {
        // The number of hours between two sheets fits 64 bits, although their difference may not fit `i64`.
        put_number(&mut out, next.map_or_else(|| zigzag(*hour), |next: i64| hour.abs_diff(next)));
        put_number(&mut out, sheet.len() as u64);
        // Wraps only after the greatest hour number, which is the last one of the list.
        next = Some(hour.wrapping_add(1));
    }
    seal(&mut out);
    for (_, sheet) in &sheets {
        out.extend_from_slice(sheet);
    }
    out
}

/// Calls `each` with the start and the encoded sheet of every hour of a payload, ascending. The list of hours is checked
/// before the first call; a sheet is checked when it is decoded.
///
/// # Errors
/// [`Error::Internal`] for a payload that is truncated, corrupt or of an unknown version (the caller adds the row), and
/// those of `each`.
pub fn walk(payload: &[u8], mut each: impl FnMut(Timestamp, &[u8]) -> Result<()>) -> Result<()> {
    let (hours, mut sheets) = Hours::checked(payload).map_err(unreadable)?;
    for entry in hours {
        let (start, length) = entry.map_err(unreadable)?;
        each(start, sheets.take(length).map_err(unreadable)?)?;
    }
    Ok(())
}

fn unreadable(error: impl Into<CodecError>) -> Error {
    let error = error.into();
    Error::internal(Context::new(format!("the delta's payload is unreadable at byte {}", error.offset), error.flaw))
}

/// The list of hours and lengths at the beginning of a payload.
struct Hours<'a> {
    reader: Reader<'a>,
    left: u64,
    next: Option<i64>,
}

impl<'a> Hours<'a> {
    /// The list and a reader of the sheets after it. The checksum of the list is right, and its lengths add up to the
    /// bytes that follow.
    fn checked(payload: &'a [u8]) -> Result<(Self, Reader<'a>), CodecError> {
        let mut reader = Reader::new(payload, 0);
        let version = reader.byte()?;
        if version != VERSION {
            return Err(CodecError::new(0, Flaw::UnknownVersion(version)));
        }
        let at = reader.at();
        let count = reader.number()?;
        // An hour takes at least two bytes of the list. The check also bounds the loop below.
        if count > reader.left() as u64 / 2 {
            return Err(CodecError::new(at, Flaw::Length(count)));
        }
        let hours = Self { reader, left: count, next: None };
        let mut lengths = 0_usize;
        for _ in 0..count {
            reader.number()?;
            lengths = lengths.saturating_add(reader.length()?);
        }
        let (at, list) = (reader.at(), payload.get(..reader.at()).unwrap_or_default());
        if reader.take(CHECKSUM_LEN)? != checksum(list).to_le_bytes() {
            return Err(CodecError::new(at, Flaw::Checksum));
        }
        match reader.left().cmp(&lengths) {
            std::cmp::Ordering::Less => Err(CodecError::new(payload.len(), Flaw::Truncated)),
            std::cmp::Ordering::Equal => Ok((hours, reader)),
            std::cmp::Ordering::Greater => Err(CodecError::new(reader.at() + lengths, Flaw::Trailing)),
        }
    }

    fn entry(&mut self) -> Result<(Timestamp, usize), CodecError> {
        let at = self.reader.at();
        let number = self.reader.number()?;
        let hour = self.next.map_or_else(|| Some(unzigzag(number)), |next| next.checked_add_unsigned(number));
        let start = hour.and_then(|hour| DateTime::from_timestamp(hour.checked_mul(HOUR)?, 0));
        self.next = hour.and_then(|hour| hour.checked_add(1));
        let length = self.reader.length()?;
        start.map(|start| (start, length)).ok_or(CodecError::new(at, Flaw::IdRange))
    }
}

impl Iterator for Hours<'_> {
    type Item = Result<(Timestamp, usize), CodecError>;

    fn next(&mut self) -> Option<Self::Item> {
        self.left = self.left.checked_sub(1)?;
        Some(self.entry())
    }
}
