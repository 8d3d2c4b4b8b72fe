//! Backups of SQLite files. PostgreSQL has tools of its own.

use std::path::{Path, PathBuf};

use trailkeeper_domain::{Error, Result};

use crate::options::StoreOptions;
use crate::sqlite::backup::{self, Staged};
use crate::sqlite::{DataFile, Modes};
use crate::url::{DatabaseUrl, Target};

/// A backup that lies beside the data file, to take its place. Dropped without [`StagedBackup::put_in_place`], it is removed.
#[derive(Debug)]
pub struct StagedBackup {
    file: DataFile,
    staged: Option<Staged>,
}

/// Writes what is committed in the database to the file `target`, which must not exist, while servers go on. Returns whether
/// the database has exactly the schema of this program.
///
/// # Errors
/// [`Error::Invalid`] for PostgreSQL; [`Error::Unavailable`] if the target exists or cannot be written. Then it may hold a part
/// of the copy.
pub fn write_backup(url: &DatabaseUrl, options: &StoreOptions, target: &Path) -> Result<bool> {
    let file = data_file(url)?;
    file.id()?;
    backup::copy(&file, target, Modes::new(options.allow_group_read), options.busy_timeout)
}

/// Copies a backup beside the data file. `copied` gets the number of bytes after each step.
///
/// # Errors
/// [`Error::Invalid`] for PostgreSQL; [`Error::Unavailable`] if the backup cannot be read, is no database of Trailkeeper or
/// one of a newer version, or has a log beside it.
pub fn stage_backup(
    url: &DatabaseUrl,
    options: &StoreOptions,
    from: &Path,
    copied: &mut dyn FnMut(u64),
) -> Result<StagedBackup> {
    let file = data_file(url)?;
    let modes = Modes::new(options.allow_group_read);
    let staged = backup::stage(&file, from, modes, options.busy_timeout, copied)?;
    Ok(StagedBackup { file, staged: Some(staged) })
}

impl StagedBackup {
    /// Where the copy lies.
    pub fn path(&self) -> &Path {
        self.staged.as_ref().map_or(self.file.path(), |staged| &staged.path)
    }

    /// Whether it has the schema of this program.
    pub fn is_current(&self) -> bool {
        self.staged.as_ref().is_some_and(|staged| staged.is_current)
    }

    /// Puts the copy into the place of the data file. What was there gets `name` as the end of its name; returns where it
    /// is, `None` if there was nothing.
    ///
    /// # Errors
    /// [`Error::Unavailable`] if a process uses the data file.
    pub fn put_in_place(mut self, name: &str) -> Result<Option<PathBuf>> {
        let former = backup::put_in_place(&self.file, self.path(), name)?;
        self.staged = None;
        Ok(former)
    }
}

impl Drop for StagedBackup {
    fn drop(&mut self) {
        if let Some(staged) = &self.staged
            && let Err(error) = backup::discard(&staged.path)
        {
            tracing::warn!("{}", error.chain());
        }
    }
}

fn data_file(url: &DatabaseUrl) -> Result<DataFile> {
    match &url.0 {
        Target::Sqlite(path) => Ok(DataFile::new(path.clone())),
        Target::Postgres(_) => Err(Error::invalid(
            "database-url",
            "is a PostgreSQL database, whose own tools write and restore backups: pg_dump and pg_restore, or \
             point-in-time recovery (docs/operations.md)",
        )),
    }
}
