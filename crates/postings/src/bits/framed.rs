//! Numbers packed relative to the smallest one (frame of reference).

use super::error::ByteError;
use super::packed::{Packed, pack, width};
use super::reader::Reader;
use super::varint::put_number;

/// Appends numbers: the smallest one as a varint, the width of the differences to it as a byte, and the packed
/// differences. Equal numbers take no bits. The number of numbers is not written.
pub fn put_framed(out: &mut Vec<u8>, numbers: &[u64]) {
    let least = numbers.iter().copied().min().unwrap_or(0);
    let width = width(numbers.iter().map(|number| number - least));
    put_number(out, least);
    out.push(width);
    pack(out, width, numbers.iter().map(|number| number - least));
}

/// The numbers that [`put_framed`] wrote, each of which can be read on its own.
#[derive(Debug, Clone, Copy, Default)]
pub struct Framed<'a> {
    least: u64,
    packed: Packed<'a>,
}

impl<'a> Framed<'a> {
    /// Takes `count` numbers from the reader.
    ///
    /// # Errors
    /// A flaw of the varint, the width or the length. With a width of 0, any count takes no bytes: the caller limits it.
    pub fn read(reader: &mut Reader<'a>, count: usize) -> Result<Self, ByteError> {
        let least = reader.number()?;
        let width = reader.byte()?;
        Ok(Self { least, packed: Packed::read(reader, width, count)? })
    }

    /// The number of numbers.
    pub fn len(&self) -> usize {
        self.packed.len()
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.packed.is_empty()
    }

    /// The number at this index; `None` after the end. Forged bytes may give any number: it wraps.
    #[inline]
    pub fn get(&self, index: usize) -> Option<u64> {
        Some(self.least.wrapping_add(self.packed.get(index)?))
    }

    /// Two numbers that no number is below or above; `None` without numbers. It reads no number.
    pub fn bounds(&self) -> Option<(u64, u64)> {
        if self.is_empty() {
            return None;
        }
        // Numbers of forged bytes wrap.
        Some(self.least.checked_add(self.packed.max()).map_or((0, u64::MAX), |most| (self.least, most)))
    }

    /// The numbers from this index on.
    pub fn iter_from(self, index: usize) -> impl Iterator<Item = u64> + 'a {
        self.packed.iter_from(index).map(move |number| self.least.wrapping_add(number))
    }

    /// All numbers.
    pub fn iter(self) -> impl Iterator<Item = u64> + 'a {
        self.iter_from(0)
    }
}

#[cfg(test)]
mod tests {
    use proptest::collection::vec;
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn numbers_are_read_as_written(numbers in vec(any::<u64>(), 0..50), base: u64, drop in 0_u32..64) {
            let numbers: Vec<u64> = numbers.iter().map(|number| base.saturating_add(number >> drop)).collect();
            let mut out = Vec::new();
            put_framed(&mut out, &numbers);
            let mut reader = Reader::new(&out, 0);
            let framed = Framed::read(&mut reader, numbers.len()).unwrap();
            prop_assert_eq!(reader.end(), Ok(()));
            prop_assert_eq!(framed.iter().collect::<Vec<_>>(), numbers.clone());
            prop_assert_eq!(framed.iter_from(3).collect::<Vec<_>>(), numbers.get(3..).unwrap_or_default());
            prop_assert_eq!(framed.get(numbers.len()), None);
            let bounds = framed.bounds();
            prop_assert_eq!(bounds.is_none(), numbers.is_empty());
            prop_assert!(numbers.iter().all(|number| bounds.is_some_and(|(least, most)| least <= *number && *number <= most)));
        }
    }

    #[test]
    fn equal_numbers_take_no_bits() {
        let mut out = Vec::new();
        put_framed(&mut out, &[300; 1_000]);
        assert_eq!(out, [0xac, 0x02, 0]);
    }
}
