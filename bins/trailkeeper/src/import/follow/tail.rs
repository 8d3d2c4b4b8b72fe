//! A file that grows, and the place up to which its lines were read.

use std::fs::{File, Metadata};
use std::io::{self, BufRead, BufReader, Read, Seek as _, SeekFrom};
use std::os::unix::fs::MetadataExt as _;
use std::path::Path;
use std::sync::Arc;

use ring::digest::{SHA256, digest};
use serde::{Deserialize, Serialize};
use trailkeeper_domain::{Result as DomainResult, hex};
use trailkeeper_parsers::lines::{MAX_LINE, content_of};

use crate::import::old_rule::OldFile;
use crate::import::source::too_long;

const BUFFER: usize = 128 * 1024;
/// The bytes at the start of a file by which its content is recognised.
const HEAD: u64 = 1024;

/// The place up to which a file was read, as a checkpoint keeps it.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct FilePosition {
    /// Device and number of the file.
    pub device: u64,
    /// Number of the file on its device.
    pub inode: u64,
    /// Bytes that were read: the end of a line.
    pub position: u64,
    /// Lines that were read.
    pub lines: u64,
    /// The first bytes of what was read, at most [`HEAD`].
    pub head_bytes: u64,
    /// SHA-256 of these bytes, in hexadecimal.
    pub head: String,
}

impl FilePosition {
    /// Whether content that begins like this is the content that was read, or has grown out of it.
    pub fn is_head_of(&self, content: &mut impl Read) -> io::Result<bool> {
        // Of a file that was just opened, nothing was read.
        Ok(self.head_bytes == 0 || head_of(content, self.head_bytes)? == (self.head_bytes, self.head.clone()))
    }

    /// Whether this is the place in the file with this metadata.
    pub fn is_of(&self, about: &Metadata) -> bool {
        (self.device, self.inode) == (about.dev(), about.ino())
    }
}

/// Number and SHA-256 of the first bytes, at most `most`.
fn head_of(content: &mut impl Read, most: u64) -> io::Result<(u64, String)> {
    let mut head = Vec::new();
    content.by_ref().take(most).read_to_end(&mut head)?;
    Ok((head.len() as u64, hex::encode(digest(&SHA256, &head).as_ref())))
}

/// An open file.
#[derive(Debug)]
pub struct Tail {
    /// Name for messages.
    pub name: Arc<str>,
    /// The place up to which it was read.
    pub position: FilePosition,
    /// The part of it that an older version imported.
    pub old: Option<OldFile>,
    file: File,
}

impl Tail {
    /// Opens a file that was not read yet.
    pub fn open(path: &Path) -> io::Result<Self> {
        let file = File::open(path)?;
        let about = file.metadata()?;
        let position = FilePosition { device: about.dev(), inode: about.ino(), ..FilePosition::default() };
        Ok(Self { name: path.display().to_string().into(), position, old: None, file })
    }

    /// Opens a file that was read up to a place. `None` if it has another content now.
    pub fn open_at(path: &Path, position: &FilePosition) -> io::Result<Option<Self>> {
        let mut tail = Self::open(path)?;
        tail.position = FilePosition { device: tail.position.device, inode: tail.position.inode, ..position.clone() };
        let is_same = tail.is_continued()?;
        Ok(is_same.then_some(tail))
    }

    /// Whether the file still has what was read of it. It has not if it was truncated.
    pub fn is_continued(&self) -> io::Result<bool> {
        if self.file.metadata()?.len() < self.position.position {
            return Ok(false);
        }
        let mut file = &self.file;
        file.rewind()?;
        self.position.is_head_of(&mut file)
    }

    /// Reads from the start again: the content is a new one.
    pub fn restart(&mut self) {
        let FilePosition { device, inode, .. } = self.position;
        self.position = FilePosition { device, inode, ..FilePosition::default() };
        self.old = None;
    }

    /// Calls `handle` with each new line, up to `most` of them: its number, and its content or the reason why it was
    /// skipped. A line without a line end is not finished, unless the file `is_final`. Returns the number of lines.
    pub fn read<E: From<io::Error>>(
        &mut self,
        most: usize,
        is_final: bool,
        mut handle: impl FnMut(&Self, u64, DomainResult<&[u8]>) -> Result<(), E>,
    ) -> Result<usize, E> {
        let mut file = self.file.try_clone()?;
        file.seek(SeekFrom::Start(self.position.position))?;
        let mut lines = UnfinishedLines::new(BufReader::with_capacity(BUFFER, file));
        let mut read = 0;
        while read < most
            && let Some(bytes) = lines.next(is_final)?
        {
            let number = self.position.lines + 1;
            match lines.content() {
                Some(Ok(content)) => handle(self, number, Ok(content))?,
                Some(Err(())) => handle(self, number, Err(too_long("line")))?,
                None => {}
            }
            (self.position.position, self.position.lines) = (self.position.position + bytes, number);
            read += 1;
        }
        if self.position.head_bytes < HEAD.min(self.position.position) {
            let mut file = &self.file;
            file.rewind()?;
            (self.position.head_bytes, self.position.head) = head_of(&mut file, HEAD.min(self.position.position))?;
        }
        Ok(read)
    }
}

/// A reader of lines that distinguishes a line without a line end.
pub struct UnfinishedLines<R> {
    reader: R,
    buffer: Vec<u8>,
    is_too_long: bool,
}

impl<R: BufRead> UnfinishedLines<R> {
    /// The lines of `reader`.
    pub fn new(reader: R) -> Self {
        Self { reader, buffer: Vec::new(), is_too_long: false }
    }

    /// Reads the next line. Returns its bytes with the line end; `None` at the end, and before a line without a line
    /// end unless the input `is_final`.
    pub fn next(&mut self, is_final: bool) -> io::Result<Option<u64>> {
        self.buffer.clear();
        self.is_too_long = false;
        let mut bytes = 0;
        loop {
            let available = match self.reader.fill_buf() {
                Ok(available) => available,
                Err(error) if error.kind() == io::ErrorKind::Interrupted => continue,
                Err(error) => return Err(error),
            };
            if available.is_empty() {
                return Ok(Some(bytes).filter(|bytes| is_final && *bytes > 0));
            }
            let end = available.iter().position(|byte| *byte == b'\n');
            let (part, _) = available.split_at(end.unwrap_or(available.len()));
            self.is_too_long |= self.buffer.len() + part.len() > MAX_LINE;
            if !self.is_too_long {
                self.buffer.extend_from_slice(part);
            }
            let consumed = part.len() + usize::from(end.is_some());
            bytes += consumed as u64;
            self.reader.consume(consumed);
            if end.is_some() {
                return Ok(Some(bytes));
            }
        }
    }

    /// The content of the line; `None` for a blank one, `Err` for one that is too long.
    pub fn content(&self) -> Option<Result<&[u8], ()>> {
        if self.is_too_long { Some(Err(())) } else { content_of(&self.buffer).map(Ok) }
    }
}
