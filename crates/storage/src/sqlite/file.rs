//! The data file and its identity. SQLite itself goes on writing to a file that was moved or removed.

use std::fmt::Write as _;
use std::fs::{self, DirBuilder, OpenOptions};
use std::io::ErrorKind;
use std::os::unix::fs::{DirBuilderExt, MetadataExt, OpenOptionsExt};
use std::path::{Path, PathBuf};

use trailkeeper_domain::error::Context;
use trailkeeper_domain::{Error, Result};

use super::permissions::Modes;

/// The identity of a file: its device and inode. They stay the same if the file is renamed, and no other file has them.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct FileId {
    device: u64,
    inode: u64,
}

/// The identity of the file that is at this path now; `None` if there is none.
///
/// # Errors
/// [`Error::Unavailable`] if the file system cannot be read.
pub fn id_of(path: &Path) -> Result<Option<FileId>> {
    match fs::metadata(path) {
        Ok(metadata) => Ok(Some(FileId { device: metadata.dev(), inode: metadata.ino() })),
        Err(error) if error.kind() == ErrorKind::NotFound => Ok(None),
        Err(error) => Err(Error::unavailable(Context::new(format!("the file {}", path.display()), error))),
    }
}

/// The path with this at its end.
pub fn beside(path: &Path, suffix: &str) -> PathBuf {
    let mut name = path.as_os_str().to_owned();
    name.push(suffix);
    PathBuf::from(name)
}

/// The path of the data file.
#[derive(Debug, Clone)]
pub struct DataFile {
    path: PathBuf,
}

impl DataFile {
    /// The data file at this path, which need not exist.
    pub fn new(path: PathBuf) -> Self {
        Self { path }
    }

    /// Creates the folder and the file if they are missing, and takes from existing files the access that is wider than
    /// `modes`. SQLite gives the mode of the data file to the files that it creates beside it, whatever the umask is.
    ///
    /// # Errors
    /// [`Error::Unavailable`] if a file cannot be created, or is open to others and cannot be changed.
    pub fn create_if_missing(&self, modes: Modes) -> Result<()> {
        if let Some(folder) = self.path.parent() {
            DirBuilder::new()
                .recursive(true)
                .mode(modes.folder)
                .create(folder)
                .map_err(|error| self.unusable(error))?;
        }
        match OpenOptions::new().write(true).create_new(true).mode(modes.file).open(&self.path) {
            Ok(_empty) => {}
            Err(error) if error.kind() == ErrorKind::AlreadyExists => {}
            Err(error) => return Err(self.unusable(error)),
        }
        // SQLite follows links of the data file, and keeps its other files beside their target.
        let file = fs::canonicalize(&self.path).map_err(|error| self.unusable(error))?;
        modes.narrow(&file)?;
        for suffix in ["-wal", "-shm", "-journal"] {
            modes.narrow(&beside(&file, suffix))?;
        }
        Ok(())
    }

    /// The identity of the file that is at the path now.
    pub fn id(&self) -> Result<FileId> {
        id_of(&self.path)?.ok_or_else(|| self.unusable(ErrorKind::NotFound.into()))
    }

    /// The URI by which SQLite opens the file without creating a new one.
    pub fn uri(&self) -> String {
        let mut uri = String::from("file:");
        for byte in self.path.to_string_lossy().bytes() {
            if byte.is_ascii_alphanumeric() || b"/-_.~".contains(&byte) {
                uri.push(char::from(byte));
            } else {
                let _infallible = write!(uri, "%{byte:02X}");
            }
        }
        uri.push_str("?mode=rw");
        uri
    }

    /// The path.
    pub fn path(&self) -> &Path {
        &self.path
    }

    fn unusable(&self, error: std::io::Error) -> Error {
        Error::unavailable(Context::new(format!("the data file {}", self.path.display()), error))
    }
}
