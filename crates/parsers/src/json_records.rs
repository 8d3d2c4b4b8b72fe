//! The objects of a JSON file, one by one: of a list, of a list inside an object (`{"Records":[…]}`), or of lines.
//!
//! ```
//! use trailkeeper_parsers::json_records::{Record, Records};
//!
//! let mut records = Records::new(&br#"{"Records":[{"a":1},{"b":[2]}]}"#[..], &["Records"]);
//! assert_eq!(records.next_record()?, Some((1, Record::Whole(br#"{"a":1}"#))));
//! assert_eq!(records.next_record()?, Some((2, Record::Whole(br#"{"b":[2]}"#))));
//! assert_eq!(records.next_record()?, None);
//! # Ok::<(), std::io::Error>(())
//! ```

use std::io::{self, BufRead};

use crate::lines::MAX_LINE;

/// One record of a file.
#[derive(Debug, PartialEq, Eq)]
pub enum Record<'a> {
    /// The text of the record, from its first byte to its last. It may be invalid JSON.
    Whole(&'a [u8]),
    /// The record is longer than [`MAX_LINE`]; it was skipped.
    TooLong,
}

/// A reader of records that holds one of them at a time.
///
/// It only finds the ends of records; their reader rejects what is no JSON. In a file whose first record has one line,
/// a line end also ends a record: so a broken line does not swallow the lines after it.
pub struct Records<R> {
    reader: R,
    /// Names of the list in an outermost object.
    wrappers: &'static [&'static str],
    number: u64,
    buffer: Vec<u8>,
    place: Place,
    /// Whether records of several lines are possible outside a list. `None` before the first record.
    multiline: Option<bool>,
}

/// Where the next record is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Place {
    /// Outside any list.
    Outside,
    /// In a list; `wrapped` if an object is around it.
    List { wrapped: bool },
    /// Behind the list of an object: what follows in it is skipped.
    Tail,
}

/// How the scan of one value ended.
enum End {
    /// The value is in the buffer.
    Value,
    /// The value is longer than [`MAX_LINE`].
    TooLong,
    /// The value is an object with a list of records, and the next byte is the first one of that list.
    Wrapper,
}

impl<R: BufRead> Records<R> {
    /// The records of `reader`. `wrappers` names the fields of an outermost object that hold the list of records.
    pub fn new(reader: R, wrappers: &'static [&'static str]) -> Self {
        Self { reader, wrappers, number: 0, buffer: Vec::new(), place: Place::Outside, multiline: None }
    }

    /// Number of records read so far, which is the position of an error.
    pub fn number(&self) -> u64 {
        self.number
    }

    /// The next record and its number, from 1; `None` at the end. The error is the reader's, or
    /// [`io::ErrorKind::UnexpectedEof`] if the file ends inside a list.
    pub fn next_record(&mut self) -> io::Result<Option<(u64, Record<'_>)>> {
        loop {
            let Some(byte) = self.skip_blanks()? else {
                return match self.place {
                    Place::Outside => Ok(None),
                    Place::List { .. } | Place::Tail => {
                        Err(io::Error::new(io::ErrorKind::UnexpectedEof, "the file ends inside a list of records"))
                    }
                };
            };
            match (self.place, byte) {
                (Place::Outside, b'[') => self.enter(Place::List { wrapped: false }),
                (Place::List { wrapped }, b']') => self.enter(if wrapped { Place::Tail } else { Place::Outside }),
                (Place::Tail, b'}') => self.enter(Place::Outside),
                (Place::Tail, _) => {
                    self.scan()?;
                }
                (Place::Outside | Place::List { .. }, _) => match self.scan()? {
                    End::Wrapper => self.enter(Place::List { wrapped: true }),
                    end => {
                        self.number += 1;
                        let record = match end {
                            End::TooLong => Record::TooLong,
                            End::Value | End::Wrapper => Record::Whole(self.buffer.trim_ascii_end()),
                        };
                        return Ok(Some((self.number, record)));
                    }
                },
            }
        }
    }

    fn enter(&mut self, place: Place) {
        self.reader.consume(1);
        self.place = place;
    }

    /// Skips what stands between records, and returns the next byte without taking it. `None` at the end.
    fn skip_blanks(&mut self) -> io::Result<Option<u8>> {
        loop {
            let available = self.reader.fill_buf()?;
            let Some(first) = available.first() else { return Ok(None) };
            // A colon stands between the names and values of the tail. The other bytes are a byte order mark.
            let is_blank = |byte: u8| byte.is_ascii_whitespace() || matches!(byte, b',' | b':' | 0xef | 0xbb | 0xbf);
            if !is_blank(*first) {
                return Ok(Some(*first));
            }
            let blanks = available.iter().take_while(|byte| is_blank(**byte)).count();
            self.reader.consume(blanks);
        }
    }

    /// Reads one value into the buffer.
    fn scan(&mut self) -> io::Result<End> {
        self.buffer.clear();
        let mut scan = Scan::new(self.place, self.multiline == Some(false));
        loop {
            let available = self.reader.fill_buf()?;
            if available.is_empty() {
                break;
            }
            let mut taken = 0;
            let mut step = Step::On;
            for byte in available {
                step = scan.step(*byte);
                match step {
                    Step::On => {}
                    Step::Last => {
                        scan.keep(&mut self.buffer, *byte);
                        taken += 1;
                        break;
                    }
                    Step::Before => break,
                    Step::List if self.place == Place::Outside && scan.is_key(&self.buffer, self.wrappers) => break,
                    Step::List => {
                        scan.open();
                        step = Step::On;
                    }
                }
                scan.keep(&mut self.buffer, *byte);
                taken += 1;
            }
            self.reader.consume(taken);
            match step {
                Step::On => {}
                Step::List => return Ok(End::Wrapper),
                Step::Last | Step::Before => break,
            }
        }
        if self.place == Place::Outside && self.multiline.is_none() {
            self.multiline = Some(scan.lines > 0);
        }
        Ok(if scan.is_too_long() { End::TooLong } else { End::Value })
    }
}

/// The state inside one value.
struct Scan {
    place: Place,
    ends_at_line: bool,
    depth: usize,
    text: Text,
    /// Whether the last text of the outermost object is followed by a colon.
    colon: bool,
    /// Where the last text of the outermost object is in the buffer, with its quotes.
    key: (usize, usize),
    lines: usize,
    /// Bytes of the value so far.
    length: usize,
}

/// Whether the place is inside a text.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Text {
    Outside,
    Inside,
    /// Behind a backslash.
    Escaped,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Step {
    /// The byte belongs to the value.
    On,
    /// The byte is the last one of the value.
    Last,
    /// The value ended before the byte.
    Before,
    /// The byte opens a list that is a field of the value.
    List,
}

impl Scan {
    fn new(place: Place, ends_at_line: bool) -> Self {
        Self { place, ends_at_line, depth: 0, text: Text::Outside, colon: false, key: (0, 0), lines: 0, length: 0 }
    }

    fn open(&mut self) {
        self.depth += 1;
        self.colon = false;
    }

    /// Adds a byte of the value to the buffer, unless it is full.
    fn keep(&mut self, buffer: &mut Vec<u8>, byte: u8) {
        self.length += 1;
        if !self.is_too_long() {
            buffer.push(byte);
        }
    }

    fn is_too_long(&self) -> bool {
        self.length > MAX_LINE
    }

    /// Whether the list that comes is the field with one of these names.
    fn is_key(&self, buffer: &[u8], names: &[&str]) -> bool {
        let key = buffer.get(self.key.0..self.key.1).unwrap_or_default();
        self.colon && names.iter().any(|name| key == format!("\"{name}\"").as_bytes())
    }

    fn step(&mut self, byte: u8) -> Step {
        if byte == b'\n' {
            self.lines += 1;
            if self.place == Place::Outside && (self.ends_at_line || !self.started_nested()) {
                return Step::Before;
            }
        }
        if self.text != Text::Outside {
            self.read_text(byte);
            let is_end = self.text == Text::Outside && self.depth == 0;
            return if is_end && self.place != Place::Outside { Step::Last } else { Step::On };
        }
        let first = self.length == 0;
        match byte {
            b'"' => {
                self.text = Text::Inside;
                if self.depth == 1 {
                    self.key = (self.length, self.length);
                    self.colon = false;
                }
            }
            b'[' if self.depth == 1 && self.colon => return Step::List,
            b'{' | b'[' => self.open(),
            b'}' | b']' if self.depth > 0 => {
                self.depth -= 1;
                if self.depth == 0 {
                    return Step::Last;
                }
            }
            // The end of the list or object around a number or a word.
            b'}' | b']' if self.place != Place::Outside && !first => return Step::Before,
            b',' if self.place != Place::Outside && self.depth == 0 => return Step::Before,
            b':' if self.place == Place::Tail && self.depth == 0 => return Step::Before,
            b':' if self.depth == 1 => self.colon = true,
            other if self.depth == 1 && !other.is_ascii_whitespace() => self.colon = false,
            _ => {}
        }
        Step::On
    }

    /// Whether the value is an object or a list: these may have several lines.
    fn started_nested(&self) -> bool {
        self.depth > 0
    }

    fn read_text(&mut self, byte: u8) {
        match byte {
            _ if self.text == Text::Escaped => self.text = Text::Inside,
            b'\\' => self.text = Text::Escaped,
            b'"' => {
                self.text = Text::Outside;
                if self.depth == 1 {
                    self.key.1 = self.length + 1;
                }
            }
            _ => {}
        }
    }
}
