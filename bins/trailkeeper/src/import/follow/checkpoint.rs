//! The file that says up to where a log was followed.

use std::fs::{self, File};
use std::io::{self, Write as _};
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};
use trailkeeper_domain::hex;

use super::tail::FilePosition;
use crate::failure::Failure;
use crate::import::occurrences::{Occurrences, SavedLine};

const VERSION: u32 = 1;
/// Counters that a checkpoint keeps: those of the newest lines, about 1 MiB.
const MAX_LINES: usize = 16_384;

/// Up to where a log was followed: everything before is committed.
#[derive(Debug, Default, Serialize, Deserialize)]
pub struct Checkpoint {
    version: u32,
    /// Name of the log.
    pub log: String,
    /// The open files, oldest first. The last one is the one that has the name of the log.
    pub files: Vec<FilePosition>,
    /// The newest time, in seconds since 1970, of lines that are not counted any more.
    dropped: Option<u32>,
    /// Time, key in hexadecimal and number of the newest lines.
    lines: Vec<(u32, String, u32)>,
}

impl Checkpoint {
    /// The state after a commit.
    pub fn new(log: &str, files: Vec<FilePosition>, occurrences: &Occurrences) -> Self {
        let (lines, dropped) = occurrences.newest(MAX_LINES);
        let lines = lines.into_iter().map(|line| (line.second, hex::encode(&line.key), line.count)).collect();
        Self { version: VERSION, log: log.to_owned(), files, dropped, lines }
    }

    /// Reads a checkpoint; `None` if there is none yet.
    pub fn load(path: &Path, log: &str) -> Result<Option<Self>, Failure> {
        let text = match fs::read(path) {
            Ok(text) => text,
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
            Err(error) => return Err(Failure::of_file(path, error)),
        };
        let refused = |reason: String| Failure::Refused(format!("{}: {reason}", path.display()));
        let checkpoint: Self = serde_json::from_slice(&text)
            .map_err(|error| refused(format!("is no checkpoint of `--follow` ({error}); name another file")))?;
        if checkpoint.version != VERSION {
            return Err(refused(format!("has version {}; this program reads version {VERSION}", checkpoint.version)));
        }
        if checkpoint.log != log {
            return Err(refused(format!(
                "belongs to the log '{}', and --log-name is '{log}'; name another checkpoint, or that log",
                checkpoint.log
            )));
        }
        Ok(Some(checkpoint))
    }

    /// The counters of equal lines.
    pub fn occurrences(&self) -> Occurrences {
        let saved = |(second, key, count): &(u32, String, u32)| {
            let key = u128::from_str_radix(key, 16).ok()?.to_be_bytes();
            Some(SavedLine { second: *second, key, count: *count })
        };
        let lines: Vec<SavedLine> = self.lines.iter().filter_map(saved).collect();
        Occurrences::saved(&lines, self.dropped)
    }

    /// Replaces the file, so that it always holds a whole checkpoint, also after a loss of power.
    pub fn save(&self, path: &Path) -> Result<(), Failure> {
        let draft = PathBuf::from(format!("{}.new", path.display()));
        let written = serde_json::to_vec(self).map_err(io::Error::from).and_then(|text| {
            let mut file = File::create(&draft)?;
            file.write_all(&text)?;
            file.sync_all()?;
            fs::rename(&draft, path)?;
            let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
            File::open(folder)?.sync_all()
        });
        written.map_err(|error| Failure::of_file(path, error))
    }
}
