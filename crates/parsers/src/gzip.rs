//! Content of gzip data.

use std::io::{self, BufRead, Read};

use flate2::bufread::GzDecoder;

/// The content of gzip data: of one member, or of several joined ones, as log rotation makes them. Zero bytes after a
/// member are padding, as tapes and some copies of disks add it; anything else after a member is an error.
pub struct Gzip<R> {
    /// The member that is being read; `None` after the last one.
    member: Option<GzDecoder<R>>,
}

impl<R: BufRead> Gzip<R> {
    /// The content of the gzip data that `compressed` starts with.
    pub fn new(compressed: R) -> Self {
        Self { member: Some(GzDecoder::new(compressed)) }
    }
}

impl<R: BufRead> Read for Gzip<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        while let Some(member) = &mut self.member {
            let length = member.read(buffer)?;
            if length > 0 || buffer.is_empty() {
                return Ok(length);
            }
            // The member is taken only after the last read that can fail: a caller may read again after an error, and
            // must not find an end there.
            let is_end = skip_padding(member.get_mut())?;
            self.member = self.member.take().filter(|_| !is_end).map(|member| GzDecoder::new(member.into_inner()));
        }
        Ok(0)
    }
}

/// Skips zero bytes, and returns whether nothing follows them.
fn skip_padding(compressed: &mut impl BufRead) -> io::Result<bool> {
    loop {
        let available = compressed.fill_buf()?;
        if available.is_empty() {
            return Ok(true);
        }
        let zeros = available.iter().take_while(|byte| **byte == 0).count();
        let is_other = zeros < available.len();
        compressed.consume(zeros);
        if is_other {
            return Ok(false);
        }
    }
}

#[cfg(test)]
mod tests {
    use std::io::Write as _;

    use flate2::Compression;
    use flate2::write::GzEncoder;

    use super::*;

    fn member(content: &str) -> Vec<u8> {
        let mut encoder = GzEncoder::new(Vec::new(), Compression::default());
        encoder.write_all(content.as_bytes()).unwrap();
        encoder.finish().unwrap()
    }

    /// The content, read through a buffer so small that members and padding cross its edges.
    fn read(compressed: &[u8]) -> io::Result<String> {
        let mut content = String::new();
        Gzip::new(io::BufReader::with_capacity(3, compressed)).read_to_string(&mut content)?;
        Ok(content)
    }

    #[test]
    fn members_and_padding_are_read() {
        let (one, two) = (member("one\n"), member("two\n"));
        for padding in [0, 1, 3, 511, 70_000] {
            let zeros = vec![0; padding];
            assert_eq!(read(&[one.as_slice(), &zeros].concat()).unwrap(), "one\n");
            assert_eq!(read(&[one.as_slice(), &zeros, &two, &zeros].concat()).unwrap(), "one\ntwo\n");
        }
        assert_eq!(read(&[member(""), member("x")].concat()).unwrap(), "x");
    }

    #[test]
    fn anything_else_and_a_cut_are_errors() {
        let one = member("one\n");
        for garbage in [&b"x"[..], b"\0x", b"\0\0\x1f", b"\x1f\x8b", b"\n"] {
            assert!(read(&[one.as_slice(), garbage].concat()).is_err(), "{garbage:?}");
        }
        for end in 0..one.len() {
            assert!(read(&one[..end]).is_err(), "{end}");
        }
        // The end of a cut member is no padding.
        assert!(read(&[&one[..one.len() - 8], &[0; 16]].concat()).is_err());
    }
}
