//! Facts about a file of an export.

use std::fs::{self, OpenOptions};
use std::io::Write as _;
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};

use crate::failure::Failure;

/// What a file has.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Content {
    /// `events`, `users`, `tenants` or `memberships`.
    pub what: String,
    /// The conditions on the rows, as they were given on the command line.
    pub conditions: Vec<String>,
    /// The format.
    pub format: String,
    /// The compression of the whole file.
    pub compression: Option<String>,
    /// Whether texts that begin like a formula were left as they are.
    pub keeps_formulas: bool,
}

/// The facts, in `FILE.manifest.json`.
#[derive(Debug, Serialize)]
pub struct Manifest<'a> {
    /// What the file has.
    #[serde(flatten)]
    pub content: &'a Content,
    /// The rows; a line of names is none.
    pub rows: u64,
    /// The size of the file.
    pub bytes: u64,
    /// The SHA-256 of the file, in hexadecimal digits.
    pub sha256: String,
    /// Of events, the position of the last one that could be in the file, as a cursor of the feed, which goes on behind it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub end: Option<String>,
    /// The time at which the export began.
    pub began_at: String,
    /// The version of the program.
    pub version: &'static str,
}

/// The path of a file beside `file`.
pub fn beside(file: &Path, ending: &str) -> PathBuf {
    let mut name = file.as_os_str().to_owned();
    name.push(ending);
    PathBuf::from(name)
}

/// Writes a value as JSON, as a whole or not at all: a reader never finds a part of it. Only the owner can read the file.
pub fn write_json(path: &Path, value: &impl Serialize) -> Result<(), Failure> {
    let text = serde_json::to_string_pretty(value).map_err(trailkeeper_domain::Error::internal)?;
    let new = beside(path, ".new");
    let failed = |error| Failure::of_file(&new, error);
    let mut file = OpenOptions::new().write(true).create(true).truncate(true).mode(0o600).open(&new).map_err(failed)?;
    file.write_all(text.as_bytes())
        .and_then(|()| file.write_all(b"\n"))
        .and_then(|()| file.sync_all())
        .map_err(failed)?;
    fs::rename(&new, path).map_err(|error| Failure::of_file(path, error))
}
