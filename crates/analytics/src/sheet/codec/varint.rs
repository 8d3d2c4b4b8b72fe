//! Varints: numbers of 1 to 10 bytes, seven bits each, least significant first. And the reader of a payload.

use super::error::{CodecError, Flaw};

/// Appends a number in its shortest form.
pub(crate) fn put(out: &mut Vec<u8>, mut number: u64) {
    while number >= 0x80 {
        out.push(low_byte(number) | 0x80);
        number >>= 7;
    }
    out.push(low_byte(number));
}

/// The number of bytes that [`put`] appends.
pub(super) fn len(number: u64) -> usize {
    (64 - (number | 1).leading_zeros()).div_ceil(7) as usize
}

fn low_byte(number: u64) -> u8 {
    number.to_le_bytes()[0]
}

/// Reads a payload forward. Every read past its end is a [`Flaw::Truncated`].
#[derive(Debug, Clone, Copy)]
pub(crate) struct Reader<'a> {
    bytes: &'a [u8],
    at: usize,
}

impl<'a> Reader<'a> {
    /// A reader of `bytes` from offset `at` on. Offsets in errors are offsets in `bytes`.
    pub(crate) fn new(bytes: &'a [u8], at: usize) -> Self {
        Self { bytes, at }
    }

    /// The offset of the next byte.
    pub(crate) fn at(&self) -> usize {
        self.at
    }

    /// The number of bytes that are left.
    pub(crate) fn left(&self) -> usize {
        self.bytes.len().saturating_sub(self.at)
    }

    /// The bytes that are left.
    pub(super) fn rest(&self) -> &'a [u8] {
        self.bytes.get(self.at..).unwrap_or_default()
    }

    /// An error at the next byte.
    pub(super) fn error(&self, flaw: Flaw) -> CodecError {
        CodecError::new(self.at, flaw)
    }

    /// Reads one byte.
    pub(crate) fn byte(&mut self) -> Result<u8, CodecError> {
        let byte = *self.bytes.get(self.at).ok_or_else(|| self.error(Flaw::Truncated))?;
        self.at += 1;
        Ok(byte)
    }

    /// Reads one varint.
    #[inline]
    pub(crate) fn number(&mut self) -> Result<u64, CodecError> {
        let first = self.byte()?;
        if first < 0x80 { Ok(u64::from(first)) } else { self.long_number(u64::from(first & 0x7f)) }
    }

    fn long_number(&mut self, first: u64) -> Result<u64, CodecError> {
        let mut number = first;
        for shift in (7..=63).step_by(7) {
            let byte = self.byte()?;
            let bits = u64::from(byte & 0x7f);
            number |= bits << shift;
            if byte < 0x80 {
                let fits = shift < 63 || bits <= 1;
                // With a last byte of zero, the number would have a second, longer form.
                return if bits > 0 && fits { Ok(number) } else { Err(CodecError::new(self.at - 1, Flaw::Number)) };
            }
        }
        Err(CodecError::new(self.at - 1, Flaw::Number))
    }

    /// Reads a length in bytes, and checks that as many are left.
    pub(crate) fn length(&mut self) -> Result<usize, CodecError> {
        let at = self.at;
        let length = self.number()?;
        match usize::try_from(length) {
            Ok(bytes) if bytes <= self.left() => Ok(bytes),
            _ => Err(CodecError::new(at, Flaw::Length(length))),
        }
    }

    /// Reads the next `length` bytes.
    pub(crate) fn take(&mut self, length: usize) -> Result<&'a [u8], CodecError> {
        let taken = self.rest().get(..length).ok_or_else(|| self.error(Flaw::Truncated))?;
        self.at += length;
        Ok(taken)
    }

    /// A reader of only the next `length` bytes; this one continues after them.
    pub(super) fn part(&mut self, length: usize) -> Result<Self, CodecError> {
        let at = self.at;
        self.take(length)?;
        Ok(Self { bytes: self.bytes.get(..at + length).unwrap_or_default(), at })
    }

    /// Skips `count` varints.
    pub(super) fn skip_numbers(&mut self, count: usize) -> Result<(), CodecError> {
        for _ in 0..count {
            while self.byte()? >= 0x80 {}
        }
        Ok(())
    }

    /// Checks that nothing is left.
    pub(super) fn end(&self) -> Result<(), CodecError> {
        if self.left() == 0 { Ok(()) } else { Err(self.error(Flaw::Trailing)) }
    }
}
