//! Lists of the numbers of deltas: those that a merge has claimed.

use crate::bits::{ByteError, ByteFlaw, Framed, Reader, put_framed, put_number, seal, unsealed};

/// Encodes distinct numbers of deltas, in any order.
pub fn put_numbers(numbers: &[i64]) -> Vec<u8> {
    let mut sorted: Vec<u64> = numbers.iter().map(|number| number.cast_unsigned()).collect();
    sorted.sort_unstable();
    let mut out = Vec::with_capacity(16 + 4 * sorted.len());
    put_number(&mut out, sorted.len() as u64);
    put_framed(&mut out, &sorted);
    seal(&mut out);
    out
}

/// Decodes what [`put_numbers`] encoded.
///
/// # Errors
/// The flaw of bytes that are truncated or corrupt.
pub fn read_numbers(payload: &[u8]) -> Result<Vec<i64>, ByteError> {
    let reader = &mut Reader::new(unsealed(payload)?, 0);
    let (at, count) = (reader.at(), reader.number()?);
    // Distinct numbers take at least a bit each.
    let most = reader.left().saturating_mul(8);
    let count = usize::try_from(count).ok().filter(|count| *count <= most);
    let numbers = Framed::read(reader, count.ok_or(ByteError::new(at, ByteFlaw::Number))?)?;
    reader.end()?;
    Ok(numbers.iter().map(u64::cast_signed).collect())
}
