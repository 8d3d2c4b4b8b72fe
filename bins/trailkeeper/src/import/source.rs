//! The input of an import: a file or standard input, compressed with gzip or zstd or not.

use std::fs::File;
use std::io::{self, BufRead, BufReader, Read, Seek as _};
use std::path::Path;
use std::sync::Arc;

use indicatif::ProgressBar;
use trailkeeper_domain::{Error, Result as DomainResult};
use trailkeeper_parsers::gzip::Gzip;
use trailkeeper_parsers::json_records::{Record, Records};
use trailkeeper_parsers::lines::{Line, Lines, MAX_LINE};

use crate::failure::Failure;
use crate::progress;

/// How files begin: RFC 1952 and RFC 8878.
const GZIP: [u8; 2] = [0x1f, 0x8b];
const ZSTD: [u8; 4] = [0x28, 0xb5, 0x2f, 0xfd];
const BUFFER: usize = 128 * 1024;

/// The input of an import.
pub struct Source {
    name: String,
    origin: Origin,
}

enum Origin {
    /// A regular file, which can be read again from its start. `bytes` is its size.
    File { file: File, bytes: u64 },
    /// A stream, which can be read once.
    Stream(Box<dyn Read>),
}

impl Source {
    /// Opens a file, or standard input if `path` is `-`.
    pub fn open(path: &Path) -> Result<Self, Failure> {
        if path.as_os_str() == "-" {
            return Ok(Self { name: "standard input".to_owned(), origin: Origin::Stream(Box::new(io::stdin())) });
        }
        let file = File::open(path).map_err(|error| Failure::of_file(path, error))?;
        let about = file.metadata().map_err(|error| Failure::of_file(path, error))?;
        if about.is_dir() {
            return Err(Failure::Refused(format!("{}: is a folder; name a file", path.display())));
        }
        let origin =
            if about.is_file() { Origin::File { file, bytes: about.len() } } else { Origin::Stream(Box::new(file)) };
        Ok(Self { name: path.display().to_string(), origin })
    }

    /// The name of the input, to be shared by its lines.
    pub fn shared_name(&self) -> Arc<str> {
        self.name.as_str().into()
    }

    /// Makes the input readable more than once: copies a stream into a temporary file, which has no name and disappears
    /// with the process.
    pub fn repeatable(self) -> Result<Self, Failure> {
        let Self { name, origin } = self;
        let failed = |source| Failure::Io { what: format!("{name} cannot be copied into a temporary file"), source };
        let origin = match origin {
            Origin::Stream(mut stream) => {
                let mut file = tempfile::tempfile().map_err(failed)?;
                let bytes = io::copy(&mut stream, &mut file).map_err(failed)?;
                Origin::File { file, bytes }
            }
            file @ Origin::File { .. } => file,
        };
        Ok(Self { name, origin })
    }

    /// Reads the input from its start. Returns the decompressed content, and a progress bar that follows the reading.
    pub fn content(&mut self) -> Result<(Box<dyn BufRead>, ProgressBar), Failure> {
        let Self { name, origin } = self;
        let failed = |source| Failure::Io { what: name.clone(), source };
        let (raw, total): (Box<dyn Read>, _) = match origin {
            Origin::File { file, bytes } => {
                file.rewind().map_err(failed)?;
                (Box::new(file.try_clone().map_err(failed)?), Some(*bytes))
            }
            Origin::Stream(stream) => (std::mem::replace(stream, Box::new(io::empty())), None),
        };
        let bar = progress::bytes(total);
        let content = decompressed(bar.wrap_read(raw)).map_err(failed)?;
        Ok((content, bar))
    }

    /// Reads the input from its start and calls `handle` with each record of JSON: its number, and its text or the reason
    /// why it was skipped. `wrappers` names the fields of an object around the list of records.
    pub fn each_record(
        &mut self,
        wrappers: &'static [&'static str],
        mut handle: impl FnMut(u64, DomainResult<&[u8]>) -> Result<(), Failure>,
    ) -> Result<(), Failure> {
        let (content, bar) = self.content()?;
        let mut records = Records::new(content, wrappers);
        loop {
            match records.next_record() {
                Ok(Some((number, Record::Whole(text)))) => handle(number, Ok(text))?,
                Ok(Some((number, Record::TooLong))) => handle(number, Err(too_long("record")))?,
                Ok(None) => break,
                Err(source) => {
                    let what = format!("{}: cannot be read after record {}", self.name, records.number());
                    return Err(Failure::Io { what, source });
                }
            }
        }
        bar.finish_and_clear();
        Ok(())
    }

    /// Reads the input from its start and calls `handle` with each line: its number, and its content or the reason why
    /// it was skipped.
    pub fn each_line(
        &mut self,
        mut handle: impl FnMut(u64, DomainResult<&[u8]>) -> Result<(), Failure>,
    ) -> Result<(), Failure> {
        let (content, bar) = self.content()?;
        let mut lines = Lines::new(content);
        loop {
            match lines.next_line() {
                Ok(Some((number, Line::Whole(content)))) => handle(number, Ok(content))?,
                Ok(Some((number, Line::TooLong))) => handle(number, Err(too_long("line")))?,
                Ok(None) => break,
                Err(source) => {
                    let what = format!("{}: cannot be read after line {}", self.name, lines.number());
                    return Err(Failure::Io { what, source });
                }
            }
        }
        bar.finish_and_clear();
        Ok(())
    }
}

/// The reason why a line or record is skipped that is too long.
pub fn too_long(unit: &str) -> Error {
    Error::malformed("line_too_long", format!("the {unit} is longer than {MAX_LINE} bytes"))
}

/// Decompresses content that starts like gzip or zstd, whatever the name of the file.
pub fn decompressed(mut raw: impl Read + 'static) -> io::Result<Box<dyn BufRead>> {
    let mut head = Vec::with_capacity(ZSTD.len());
    raw.by_ref().take(ZSTD.len() as u64).read_to_end(&mut head)?;
    let (is_gzip, is_zstd) = (head.starts_with(&GZIP), head == ZSTD);
    let whole = BufReader::with_capacity(BUFFER, io::Cursor::new(head).chain(raw));
    Ok(if is_gzip {
        Box::new(BufReader::with_capacity(BUFFER, Gzip::new(whole)))
    } else if is_zstd {
        Box::new(BufReader::with_capacity(BUFFER, zstd::stream::read::Decoder::with_buffer(whole)?))
    } else {
        Box::new(whole)
    })
}
