//! The reader of a payload.

use super::error::{ByteError, ByteFlaw};

/// Reads a payload forward. Every read past its end is a [`ByteFlaw::Truncated`].
#[derive(Debug, Clone, Copy)]
pub struct Reader<'a> {
    bytes: &'a [u8],
    at: usize,
}

impl<'a> Reader<'a> {
    /// A reader of `bytes` from offset `at` on. Offsets in errors are offsets in `bytes`.
    #[inline]
    pub fn new(bytes: &'a [u8], at: usize) -> Self {
        Self { bytes, at }
    }

    /// The offset of the next byte.
    #[inline]
    pub fn at(&self) -> usize {
        self.at
    }

    /// The number of bytes that are left.
    #[inline]
    pub fn left(&self) -> usize {
        self.bytes.len().saturating_sub(self.at)
    }

    /// The bytes that are left.
    #[inline]
    pub fn rest(&self) -> &'a [u8] {
        self.bytes.get(self.at..).unwrap_or_default()
    }

    /// An error at the next byte.
    pub fn error(&self, flaw: ByteFlaw) -> ByteError {
        ByteError::new(self.at, flaw)
    }

    /// Reads one byte.
    #[inline]
    pub fn byte(&mut self) -> Result<u8, ByteError> {
        let byte = *self.bytes.get(self.at).ok_or_else(|| self.error(ByteFlaw::Truncated))?;
        self.at += 1;
        Ok(byte)
    }

    /// Reads one varint.
    #[inline]
    pub fn number(&mut self) -> Result<u64, ByteError> {
        let first = self.byte()?;
        if first < 0x80 { Ok(u64::from(first)) } else { self.long_number(u64::from(first & 0x7f)) }
    }

    fn long_number(&mut self, first: u64) -> Result<u64, ByteError> {
        let mut number = first;
        for shift in (7..=63).step_by(7) {
            let byte = self.byte()?;
            let bits = u64::from(byte & 0x7f);
            number |= bits << shift;
            if byte < 0x80 {
                let fits = shift < 63 || bits <= 1;
                // With a last byte of zero, the number would have a second, longer form.
                return if bits > 0 && fits { Ok(number) } else { Err(ByteError::new(self.at - 1, ByteFlaw::Number)) };
            }
        }
        Err(ByteError::new(self.at - 1, ByteFlaw::Number))
    }

    /// Reads a length in bytes, and checks that as many are left.
    #[inline]
    pub fn length(&mut self) -> Result<usize, ByteError> {
        let at = self.at;
        let length = self.number()?;
        match usize::try_from(length) {
            Ok(bytes) if bytes <= self.left() => Ok(bytes),
            _ => Err(ByteError::new(at, ByteFlaw::Length(length))),
        }
    }

    /// Reads the next `length` bytes.
    #[inline]
    pub fn take(&mut self, length: usize) -> Result<&'a [u8], ByteError> {
        let taken = self.rest().get(..length).ok_or_else(|| self.error(ByteFlaw::Truncated))?;
        self.at += length;
        Ok(taken)
    }

    /// A reader of only the next `length` bytes; this one continues after them.
    pub fn part(&mut self, length: usize) -> Result<Self, ByteError> {
        let at = self.at;
        self.take(length)?;
        Ok(Self { bytes: self.bytes.get(..at + length).unwrap_or_default(), at })
    }

    /// Skips `count` varints.
    pub fn skip_numbers(&mut self, count: usize) -> Result<(), ByteError> {
        for _ in 0..count {
            while self.byte()? >= 0x80 {}
        }
        Ok(())
    }

    /// Checks that nothing is left.
    pub fn end(&self) -> Result<(), ByteError> {
        if self.left() == 0 { Ok(()) } else { Err(self.error(ByteFlaw::Trailing)) }
    }
}
