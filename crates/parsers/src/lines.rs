//! Lines of a file with their numbers, none longer than a limit.
//!
//! ```
//! use trailkeeper_parsers::lines::{Line, Lines};
//!
//! let mut lines = Lines::new(&b"one\r\n\nthree"[..]);
//! assert_eq!(lines.next_line()?, Some((1, Line::Whole(b"one"))));
//! assert_eq!(lines.next_line()?, Some((3, Line::Whole(b"three"))));
//! assert_eq!(lines.next_line()?, None);
//! # Ok::<(), std::io::Error>(())
//! ```

use std::io::{self, BufRead};

/// The longest line, in bytes. No acceptable event is larger, and a longer line must not fill the memory.
pub const MAX_LINE: usize = 1024 * 1024;

/// A reader of lines that reuses one buffer.
pub struct Lines<R> {
    reader: R,
    number: u64,
    buffer: Vec<u8>,
}

/// One line of a file.
#[derive(Debug, PartialEq, Eq)]
pub enum Line<'a> {
    /// Content without the line end.
    Whole(&'a [u8]),
    /// The line is longer than [`MAX_LINE`]; it was skipped.
    TooLong,
}

impl<R: BufRead> Lines<R> {
    /// The lines of `reader`, numbered from 1.
    pub fn new(reader: R) -> Self {
        Self { reader, number: 0, buffer: Vec::new() }
    }

    /// Number of lines read so far, which is the position of an error.
    pub fn number(&self) -> u64 {
        self.number
    }

    /// The reader. All lines read so far, with their ends, and nothing after them were consumed.
    pub fn reader(&self) -> &R {
        &self.reader
    }

    /// The next line and its number; `None` at the end. Blank lines are counted and skipped, and a byte order mark at
    /// the start of a line is removed: files that were joined have one where the second begins. The error is the
    /// reader's.
    pub fn next_line(&mut self) -> io::Result<Option<(u64, Line<'_>)>> {
        loop {
            let Some(whole) = self.read_line()? else { return Ok(None) };
            self.number += 1;
            if !whole {
                return Ok(Some((self.number, Line::TooLong)));
            }
            if content_of(&self.buffer).is_some() {
                break;
            }
        }
        Ok(content_of(&self.buffer).map(|content| (self.number, Line::Whole(content))))
    }

    /// Reads up to and including the next line end. `Some(false)`: the line was too long; `None`: the file ended.
    fn read_line(&mut self) -> io::Result<Option<bool>> {
        self.buffer.clear();
        let mut whole = true;
        let mut any = false;
        loop {
            let available = match self.reader.fill_buf() {
                Ok(available) => available,
                Err(error) if error.kind() == io::ErrorKind::Interrupted => continue,
                Err(error) => return Err(error),
            };
            if available.is_empty() {
                return Ok(any.then_some(whole));
            }
            any = true;
            let end = available.iter().position(|&byte| byte == b'\n');
            let (part, _) = available.split_at(end.unwrap_or(available.len()));
            whole = whole && self.buffer.len() + part.len() <= MAX_LINE;
            if whole {
                self.buffer.extend_from_slice(part);
            }
            let consumed = part.len() + usize::from(end.is_some());
            self.reader.consume(consumed);
            if end.is_some() {
                return Ok(Some(whole));
            }
        }
    }
}

/// The content of a line that was read up to its line end: without a byte order mark in front and a carriage return at
/// the end. `None` for a blank line.
pub fn content_of(line: &[u8]) -> Option<&[u8]> {
    let line = line.strip_prefix("\u{feff}".as_bytes()).unwrap_or(line);
    let is_blank = line.trim_ascii().is_empty();
    (!is_blank).then(|| line.strip_suffix(b"\r").unwrap_or(line))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn lines(content: &[u8]) -> Vec<(u64, Option<Vec<u8>>)> {
        // A tiny buffer, so that lines cross its edges.
        let mut lines = Lines::new(io::BufReader::with_capacity(3, content));
        let mut out = Vec::new();
        while let Some((number, line)) = lines.next_line().unwrap() {
            out.push((
                number,
                match line {
                    Line::Whole(content) => Some(content.to_vec()),
                    Line::TooLong => None,
                },
            ));
        }
        out
    }

    #[test]
    fn blank_lines_line_ends_and_the_byte_order_mark_are_skipped() {
        let expected = vec![(1, Some(b"one".to_vec())), (4, Some(b"four".to_vec())), (5, Some(b"five".to_vec()))];
        assert_eq!(lines("\u{feff}one\r\n\n  \r\nfour\nfive".as_bytes()), expected);
        assert_eq!(lines("one\n\u{feff}\r\n\n\u{feff}four\nfive".as_bytes()), expected);
        assert_eq!(lines(b"one\n\n\nfour\nfive\n"), expected);
        assert_eq!(lines(b""), []);
    }

    #[test]
    fn a_line_over_the_limit_is_skipped_and_the_next_one_read() {
        let longest = vec![b'x'; MAX_LINE];
        let content = [longest.as_slice(), b"\n", longest.as_slice(), b"y\nnext\n", longest.as_slice(), b"z"].concat();
        let read = lines(&content);
        assert_eq!(read, [(1, Some(longest)), (2, None), (3, Some(b"next".to_vec())), (4, None)]);
    }
}
