//! The log of the data file: `-wal`. SQLite keeps it open, and goes on writing to it after it was removed. A commit would
//! then be lost with the process.

use std::fs;
use std::path::{Path, PathBuf};

use trailkeeper_domain::{Error, Result};

use super::file::{FileId, id_of};

/// The log that a connection has open.
#[derive(Debug)]
pub struct OpenLog {
    path: PathBuf,
    opened: Option<FileId>,
}

impl OpenLog {
    /// The log of a data file. Which file it is, is not known yet.
    pub fn of(data: &Path) -> Self {
        // SQLite follows links of the data file, and keeps the log beside their target.
        let mut path = fs::canonicalize(data).unwrap_or_else(|_| data.to_owned()).into_os_string();
        path.push("-wal");
        Self { path: PathBuf::from(path), opened: None }
    }

    /// Its path.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Remembers which file is the log. Call it in the first transaction: SQLite has opened the log by then.
    ///
    /// # Errors
    /// The file system cannot be read.
    pub fn note(&mut self) -> Result<()> {
        if self.opened.is_none() {
            self.opened = id_of(&self.path)?;
        }
        Ok(())
    }

    /// Whether the log is not at its path any more.
    ///
    /// # Errors
    /// The file system cannot be read.
    pub fn is_lost(&self) -> Result<bool> {
        Ok(self.opened.is_some() && id_of(&self.path)? != self.opened)
    }

    /// Fails if the log is not at its path any more.
    ///
    /// # Errors
    /// [`Error::Unavailable`].
    pub fn in_place(&self) -> Result<()> {
        if !self.is_lost()? {
            return Ok(());
        }
        Err(Error::unavailable(format!("the log of the database, {}, was removed or replaced", self.path.display())))
    }
}
