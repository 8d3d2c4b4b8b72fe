//! Varints: numbers of 1 to 10 bytes, seven bits each, least significant first.

/// Appends a number in its shortest form.
#[inline]
pub fn put_number(out: &mut Vec<u8>, mut number: u64) {
    while number >= 0x80 {
        out.push(low_byte(number) | 0x80);
        number >>= 7;
    }
    out.push(low_byte(number));
}

/// The number of bytes that [`put_number`] appends.
#[inline]
pub fn varint_len(number: u64) -> usize {
    (64 - (number | 1).leading_zeros()).div_ceil(7) as usize
}

#[inline]
fn low_byte(number: u64) -> u8 {
    number.to_le_bytes()[0]
}

/// The zigzag encoding: 0, -1, 1, -2, … become 0, 1, 2, 3, …
#[inline]
pub fn zigzag(number: i64) -> u64 {
    (number << 1 ^ number >> 63).cast_unsigned()
}

/// The number whose [`zigzag`] encoding this is.
#[inline]
pub fn unzigzag(number: u64) -> i64 {
    (number >> 1).cast_signed() ^ -(number & 1).cast_signed()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::bits::Reader;

    proptest! {
        #[test]
        fn numbers_are_read_as_written(number: u64, shift in 0_u32..64) {
            let number = number >> shift;
            let mut out = Vec::new();
            put_number(&mut out, number);
            prop_assert_eq!(out.len(), varint_len(number));
            let mut reader = Reader::new(&out, 0);
            prop_assert_eq!(reader.number(), Ok(number));
            prop_assert_eq!(reader.end(), Ok(()));
        }

        #[test]
        fn zigzag_is_undone(number: i64) {
            prop_assert_eq!(unzigzag(zigzag(number)), number);
        }
    }

    #[test]
    fn small_numbers_of_either_sign_stay_small() {
        let numbers = [0, -1, 1, -2, 2, i64::MAX, i64::MIN];
        assert_eq!(numbers.map(zigzag), [0, 1, 2, 3, 4, u64::MAX - 1, u64::MAX]);
    }
}
