//! The file of an export: `FILE.part` while it is written, `FILE` when it is whole.

use std::fmt::Write as _;
use std::fs::{self, File, OpenOptions};
use std::io::{self, Read as _, Seek as _, Write as _};
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::{Path, PathBuf};

use ring::digest::{Context, SHA256};
use serde::{Deserialize, Serialize};

use super::manifest::{Content, Manifest, beside, write_json};
use crate::failure::Failure;

/// Bytes between two states on the disk from which an interrupted export can go on.
const STEP: u64 = 32 * 1024 * 1024;

/// A state from which an export can go on, in `FILE.part.json`.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Saved {
    /// What the file has.
    pub content: Content,
    /// The bytes of the file.
    pub bytes: u64,
    /// The rows in them.
    pub rows: u64,
    /// The position behind the rows.
    pub position: String,
    /// The position at which the export ends.
    pub end: String,
    /// The time at which the export began.
    pub began_at: String,
}

/// A file that is being written.
pub struct Target {
    path: PathBuf,
    part: PathBuf,
    file: File,
    hash: Context,
    /// The bytes and the rows so far.
    pub bytes: u64,
    /// The rows so far.
    pub rows: u64,
    saved_bytes: u64,
}

impl Target {
    /// Begins a file. Neither it nor its parts may exist, so that nothing is overwritten.
    pub fn create(path: &Path) -> Result<Self, Failure> {
        let part = beside(path, ".part");
        for taken in [path, &beside(path, ".manifest.json")] {
            if fs::symlink_metadata(taken).is_ok() {
                return Err(Failure::Refused(format!("{} exists already; name another file", taken.display())));
            }
        }
        let opened = OpenOptions::new().write(true).create_new(true).mode(0o600).open(&part);
        let file = opened.map_err(|error| match error.kind() {
            io::ErrorKind::AlreadyExists => Failure::Refused(format!(
                "{} is of an export that did not end; go on with --resume, or remove it",
                part.display()
            )),
            _ => Failure::of_file(&part, error),
        })?;
        let (path, hash) = (path.to_owned(), Context::new(&SHA256));
        Ok(Self { path, part, file, hash, bytes: 0, rows: 0, saved_bytes: 0 })
    }

    /// Goes on with a file that was interrupted, behind its last saved state. `None` if there is none.
    pub fn resume(path: &Path, content: &Content) -> Result<Option<(Self, Saved)>, Failure> {
        let part = beside(path, ".part");
        let state = beside(path, ".part.json");
        let text = match fs::read(&state) {
            Ok(text) => text,
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
            Err(error) => return Err(Failure::of_file(&state, error)),
        };
        let damaged = |reason: &dyn std::fmt::Display| {
            Failure::Refused(format!(
                "{}: {reason}; remove it and {}, and begin again",
                state.display(),
                part.display()
            ))
        };
        let saved: Saved = serde_json::from_slice(&text).map_err(|error| damaged(&error))?;
        if saved.content != *content {
            return Err(damaged(&"it is of an export with another format or other conditions"));
        }
        let failed = |error| Failure::of_file(&part, error);
        let mut file = OpenOptions::new().read(true).write(true).open(&part).map_err(failed)?;
        if file.metadata().map_err(failed)?.len() < saved.bytes {
            return Err(damaged(&"the file is shorter than it was"));
        }
        file.set_len(saved.bytes).map_err(failed)?;
        let mut hash = Context::new(&SHA256);
        let mut buffer = vec![0; 256 * 1024];
        loop {
            let length = file.read(&mut buffer).map_err(failed)?;
            let Some(read) = buffer.get(..length).filter(|read| !read.is_empty()) else { break };
            hash.update(read);
        }
        file.seek(io::SeekFrom::End(0)).map_err(failed)?;
        let (path, bytes, rows) = (path.to_owned(), saved.bytes, saved.rows);
        Ok(Some((Self { path, part, file, hash, bytes, rows, saved_bytes: bytes }, saved)))
    }

    /// Appends bytes.
    pub fn write(&mut self, bytes: &[u8]) -> Result<(), Failure> {
        self.file.write_all(bytes).map_err(|error| Failure::of_file(&self.part, error))?;
        self.hash.update(bytes);
        self.bytes += bytes.len() as u64;
        Ok(())
    }

    /// Whether so much was written that the state should be saved.
    pub fn should_save(&self) -> bool {
        self.bytes - self.saved_bytes >= STEP
    }

    /// Saves the state. Every row so far must be written.
    pub fn save(&mut self, saved: &Saved) -> Result<(), Failure> {
        self.file.sync_data().map_err(|error| Failure::of_file(&self.part, error))?;
        write_json(&beside(&self.path, ".part.json"), saved)?;
        self.saved_bytes = self.bytes;
        Ok(())
    }

    /// Gives the whole file its name, beside its manifest. A file with that name is whole, and has a manifest.
    pub fn finish(self, content: &Content, began_at: String, end: Option<String>) -> Result<(), Failure> {
        let Self { path, part, file, hash, bytes, rows, .. } = self;
        file.sync_all().map_err(|error| Failure::of_file(&part, error))?;
        let sha256 = hex(hash.finish().as_ref());
        let manifest = Manifest { content, rows, bytes, sha256, end, began_at, version: env!("CARGO_PKG_VERSION") };
        write_json(&beside(&path, ".manifest.json"), &manifest)?;
        fs::rename(&part, &path).map_err(|error| Failure::of_file(&path, error))?;
        match fs::remove_file(beside(&path, ".part.json")) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => Err(Failure::of_file(&part, error)),
            _ => Ok(()),
        }
    }
}

fn hex(bytes: &[u8]) -> String {
    let mut digits = String::with_capacity(2 * bytes.len());
    for byte in bytes {
        // Writing into a string does not fail.
        let _infallible = write!(digits, "{byte:02x}");
    }
    digits
}
