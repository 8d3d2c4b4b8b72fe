//! Numbers of one width, packed without gaps, least significant bit first.

use std::ops::Range;

use super::error::{ByteError, ByteFlaw};
use super::reader::Reader;

/// The largest width in bits.
pub const MAX_WIDTH: u8 = 64;

/// The width in bits of the largest of these numbers; 0 if all are 0.
#[inline]
pub fn width(numbers: impl IntoIterator<Item = u64>) -> u8 {
    let all = numbers.into_iter().fold(0, |all, number| all | number);
    // At most 64.
    (64 - all.leading_zeros()).to_le_bytes()[0]
}

/// The length in bytes of `count` packed numbers.
#[inline]
pub fn packed_len(count: usize, width: u8) -> usize {
    // No bytes are as many as a product that does not fit.
    count.saturating_mul(usize::from(width)).div_ceil(8)
}

/// Appends numbers with `width` bits each, filled up to a byte with zeros. No number may have more bits.
pub fn pack(out: &mut Vec<u8>, width: u8, numbers: impl IntoIterator<Item = u64>) {
    let width = u32::from(width);
    let (mut pending, mut bits) = (0_u128, 0);
    for number in numbers {
        pending |= u128::from(number) << bits;
        bits += width;
        if bits >= 64 {
            let [low, _] = halves(pending);
            out.extend_from_slice(&low.to_le_bytes());
            pending >>= 64;
            bits -= 64;
        }
    }
    let [low, _] = halves(pending);
    out.extend(low.to_le_bytes().into_iter().take(bits.div_ceil(8) as usize));
}

#[expect(clippy::cast_possible_truncation, reason = "the halves are all of it")]
fn halves(number: u128) -> [u64; 2] {
    [number as u64, (number >> 64) as u64]
}

/// Eight bytes from `at` on, little-endian, filled with zeros after the end.
#[inline]
pub fn load(bytes: &[u8], at: usize) -> u64 {
    let rest = bytes.get(at..).unwrap_or_default();
    if let Some(eight) = rest.first_chunk::<8>() {
        return u64::from_le_bytes(*eight);
    }
    let mut last = [0; 8];
    last.iter_mut().zip(rest).for_each(|(to, from)| *to = *from);
    u64::from_le_bytes(last)
}

/// Packed numbers, each of which can be read on its own.
#[derive(Debug, Clone, Copy, Default)]
pub struct Packed<'a> {
    bytes: &'a [u8],
    width: u8,
    len: usize,
}

impl<'a> Packed<'a> {
    /// Takes `count` numbers of `width` bits from the reader.
    ///
    /// # Errors
    /// [`ByteFlaw::Width`] for a width above 64, [`ByteFlaw::Truncated`] if the reader has too few bytes. With a width of
    /// 0, any count takes no bytes: the caller limits it.
    pub fn read(reader: &mut Reader<'a>, width: u8, count: usize) -> Result<Self, ByteError> {
        if width > MAX_WIDTH {
            return Err(ByteError::new(reader.at(), ByteFlaw::Width(width)));
        }
        Ok(Self { bytes: reader.take(packed_len(count, width))?, width, len: count })
    }

    /// The number of numbers.
    pub fn len(&self) -> usize {
        self.len
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.len == 0
    }

    /// The number at this index; `None` after the end.
    #[inline]
    pub fn get(&self, index: usize) -> Option<u64> {
        (index < self.len).then(|| self.at(index))
    }

    /// The numbers from this index on.
    pub fn iter_from(self, index: usize) -> impl Iterator<Item = u64> + 'a {
        (index..self.len).map(move |index| self.at(index))
    }

    /// All numbers.
    pub fn iter(self) -> impl Iterator<Item = u64> + 'a {
        self.iter_from(0)
    }

    /// The largest number of this width.
    pub fn max(&self) -> u64 {
        1_u64.checked_shl(self.width.into()).map_or(u64::MAX, |end| end - 1)
    }

    /// The number of ones from one index to another, of numbers of one bit; indexes after the end have none.
    pub fn ones(&self, range: Range<usize>) -> usize {
        let (mut at, end) = (range.start, range.end.min(self.len));
        let mut ones = 0;
        while at < end {
            // At least 57 of the loaded bits are behind `at`.
            let count = (end - at).min(57);
            ones += (load(self.bytes, at / 8) >> (at % 8) & ((1 << count) - 1)).count_ones() as usize;
            at += count;
        }
        ones
    }

    #[inline]
    fn at(&self, index: usize) -> u64 {
        let width = usize::from(self.width);
        let bit = index * width;
        let low = load(self.bytes, bit / 8) >> (bit % 8);
        if width <= 57 {
            return low & ((1 << width) - 1);
        }
        // Up to 71 bits lie in nine bytes.
        let high = u64::from(self.bytes.get(bit / 8 + 8).copied().unwrap_or_default());
        let whole = if bit.is_multiple_of(8) { low } else { low | high << (64 - bit % 8) };
        if width == 64 { whole } else { whole & ((1 << width) - 1) }
    }
}

#[cfg(test)]
mod tests {
    use proptest::collection::vec;
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn each_number_is_read_on_its_own(numbers in vec(any::<u64>(), 0..70), drop in 0_u32..=64) {
            let numbers: Vec<u64> = numbers.iter().map(|number| number.checked_shr(drop).unwrap_or(0)).collect();
            let width = width(numbers.iter().copied());
            prop_assert!(u32::from(width) <= 64 - drop);
            let mut out = vec![0xff];
            pack(&mut out, width, numbers.iter().copied());
            prop_assert_eq!(out.len(), 1 + packed_len(numbers.len(), width));
            // Bytes after the numbers do not matter.
            for rest in [&[][..], &[0xff; 12]] {
                let bytes = [&out, rest].concat();
                let mut reader = Reader::new(&bytes, 1);
                let packed = Packed::read(&mut reader, width, numbers.len()).unwrap();
                prop_assert_eq!(reader.left(), rest.len());
                prop_assert_eq!(packed.iter().collect::<Vec<_>>(), numbers.clone());
                for (index, number) in numbers.iter().enumerate() {
                    prop_assert_eq!(packed.get(index), Some(*number));
                }
                prop_assert_eq!(packed.get(numbers.len()), None);
            }
        }
    }

    proptest! {
        #[test]
        fn ones_are_counted(bits in vec(0..2_u64, 0..400), start in 0..420_usize, end in 0..420_usize) {
            let mut out = Vec::new();
            pack(&mut out, 1, bits.iter().copied());
            let packed = Packed::read(&mut Reader::new(&out, 0), 1, bits.len()).unwrap();
            let expected = bits.iter().take(end).skip(start).sum::<u64>();
            prop_assert_eq!(packed.ones(start..end) as u64, expected);
        }
    }

    #[test]
    fn the_largest_number_has_all_bits() {
        let max = |width| Packed::read(&mut Reader::new(&[0; 8], 0), width, 1).unwrap().max();
        assert_eq!([0, 1, 8, 63, 64].map(max), [0, 1, 255, u64::MAX >> 1, u64::MAX]);
    }

    #[test]
    fn counts_and_widths_that_do_not_fit_are_errors() {
        let flaw =
            |width, count| Packed::read(&mut Reader::new(&[0; 16], 2), width, count).map(|_| ()).map_err(|e| e.flaw);
        assert_eq!(flaw(7, 16), Ok(()));
        assert_eq!(flaw(7, 17), Err(ByteFlaw::Truncated));
        assert_eq!(flaw(65, 0), Err(ByteFlaw::Width(65)));
        for width in 1..=64 {
            assert_eq!(flaw(width, usize::MAX), Err(ByteFlaw::Truncated));
        }
    }
}
