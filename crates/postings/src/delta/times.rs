//! The column of times.

use super::format::UNITS;
use crate::bits::{ByteError, ByteFlaw, Framed, Reader, put_framed};

/// Appends times in microseconds since 1970. Most senders use milliseconds: the coarser unit saves ten bits for each.
pub fn put_times(out: &mut Vec<u8>, micros: &[u64]) {
    let divides = |unit: u64| micros.iter().all(|at| at.is_multiple_of(unit));
    let (code, unit) = (0_u8..).zip(UNITS).filter(|(_, unit)| divides(*unit)).last().unwrap_or((0, 1));
    out.push(code);
    put_framed(out, &micros.iter().map(|at| at / unit).collect::<Vec<_>>());
}

/// The times of events.
#[derive(Debug, Clone, Copy)]
pub struct Times<'a> {
    units: Framed<'a>,
    /// The unit in microseconds.
    unit: u64,
}

impl<'a> Times<'a> {
    /// Takes the times of `events` events from the reader.
    pub fn read(reader: &mut Reader<'a>, events: usize) -> Result<Self, ByteError> {
        let (at, code) = (reader.at(), reader.byte()?);
        let unit = *UNITS.get(usize::from(code)).ok_or(ByteError::new(at, ByteFlaw::Length(code.into())))?;
        Ok(Self { units: Framed::read(reader, events)?, unit })
    }

    /// Two times in microseconds since 1970 that no time is before or after.
    pub fn bounds(&self) -> (i64, i64) {
        let ends = self.units.bounds().and_then(|(least, most)| {
            Some((least.checked_mul(self.unit)?.cast_signed(), most.checked_mul(self.unit)?.cast_signed()))
        });
        // Times before 1970 are greater numbers than those after it.
        ends.filter(|(least, most)| least <= most).unwrap_or((i64::MIN, i64::MAX))
    }

    /// The time of the event with this index, in microseconds since 1970. Forged bytes may give any number: it wraps.
    #[inline]
    pub fn micros(&self, index: usize) -> i64 {
        self.units.get(index).unwrap_or_default().wrapping_mul(self.unit).cast_signed()
    }
}
