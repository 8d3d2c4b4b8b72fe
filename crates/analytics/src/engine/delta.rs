//! The form of a delta: `{hour → sheet}` of one scope and one batch. Described in `docs/sheets.md`.

use std::collections::BTreeMap;

use chrono::DateTime;
use trailkeeper_domain::time::Timestamp;
use trailkeeper_domain::{Error, Result};

use crate::sheet::{CodecError, Flaw, Reader, Sheet, checksum, put_number};

/// The first byte of a payload.
const VERSION: u8 = 1;
/// Bytes of the checksum behind the list of hours.
const CHECKSUM_LEN: usize = 4;
/// Seconds of an hour.
const HOUR: i64 = 3_600;

/// The number of the hour that holds `at`: whole hours since 1970.
pub fn hour_number(at: Timestamp) -> i64 {
    at.timestamp().div_euclid(HOUR)
}

/// The payload of sheets by the number of their hour.
pub fn encode(hours: &BTreeMap<i64, Sheet>) -> Vec<u8> {
    let sheets: Vec<(i64, Vec<u8>)> = hours.iter().map(|(hour, sheet)| (*hour, sheet.encode())).collect();
    let mut out = Vec::with_capacity(16 + sheets.iter().map(|(_, sheet)| sheet.len() + 4).sum::<usize>());
    out.push(VERSION);
    put_number(&mut out, sheets.len() as u64);
    let mut next = None;
    for (hour, sheet) in &sheets {
        // The hours left out since the one before fit 64 bits although their difference may not fit `i64`.
        put_number(&mut out, next.map_or_else(|| folded(*hour), |next: i64| hour.abs_diff(next)));
        put_number(&mut out, sheet.len() as u64);
        // Wraps behind the last of all hours alone, which is the last one then.
        next = Some(hour.wrapping_add(1));
    }
    let sum = checksum(&out);
    out.extend_from_slice(&sum.to_le_bytes());
    for (_, sheet) in &sheets {
        out.extend_from_slice(sheet);
    }
    out
}

/// Shows the hours of a payload with their encoded sheets, ascending. The list of hours is checked before the first
/// one is shown; sheets check themselves when they are read.
///
/// # Errors
/// [`Error::Internal`] for a payload that is truncated, corrupt or of an unknown version, to which the caller adds the
/// row; and whatever `each` returns.
pub fn walk(payload: &[u8], mut each: impl FnMut(Timestamp, &[u8]) -> Result<()>) -> Result<()> {
    let (hours, mut sheets) = Hours::checked(payload).map_err(unreadable)?;
    for entry in hours {
        let (start, length) = entry.map_err(unreadable)?;
        each(start, sheets.take(length).map_err(unreadable)?)?;
    }
    Ok(())
}

fn unreadable(error: CodecError) -> Error {
    Error::internal(format!("the delta's payload is unreadable at byte {}: {}", error.offset, error.flaw))
}

/// The list of hours and lengths at the beginning of a payload.
struct Hours<'a> {
    reader: Reader<'a>,
    left: u64,
    next: Option<i64>,
}

impl<'a> Hours<'a> {
    /// The list, whose checksum is right and whose lengths add up to what follows; and a reader of that.
    fn checked(payload: &'a [u8]) -> Result<(Self, Reader<'a>), CodecError> {
        let mut reader = Reader::new(payload, 0);
        let version = reader.byte()?;
        if version != VERSION {
            return Err(CodecError::new(0, Flaw::UnknownVersion(version)));
        }
        let at = reader.at();
        let count = reader.number()?;
        // An hour takes two bytes of the list at least. Also keeps the loop below short.
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
        let hour = self.next.map_or_else(|| Some(unfolded(number)), |next| next.checked_add_unsigned(number));
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

/// Signed numbers as unsigned ones, small where they are near zero: 0, -1, 1, -2, …
fn folded(number: i64) -> u64 {
    (number << 1 ^ number >> 63).cast_unsigned()
}

fn unfolded(number: u64) -> i64 {
    (number >> 1).cast_signed() ^ -(number & 1).cast_signed()
}
