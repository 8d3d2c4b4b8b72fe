//! Backups of SQLite files. PostgreSQL has tools of its own.

use std::fs;
use std::path::{Path, PathBuf};

use trailkeeper_domain::{Error, Result};

use crate::options::StoreOptions;
use crate::sqlite::backup::{self, Staged};
use crate::sqlite::{DataFile, Modes, beside};
use crate::url::{DatabaseUrl, Target};

/// A file that is removed when this is dropped, until it has got its place.
#[derive(Debug)]
struct Copy(Option<PathBuf>);

impl Copy {
    fn path(&self) -> &Path {
        self.0.as_deref().unwrap_or(Path::new(""))
    }
}

impl Drop for Copy {
    fn drop(&mut self) {
        if let Some(path) = &self.0
            && let Err(error) = backup::discard(path)
        {
            tracing::warn!("{}", error.chain());
        }
    }
}

/// A backup that lies beside the data file, to take its place. Dropped without [`StagedBackup::put_in_place`], it is removed.
#[derive(Debug)]
pub struct StagedBackup {
    copy: Copy,
    file: DataFile,
    is_current: bool,
}

/// A backup that is complete and has not got its name yet. Dropped without [`WrittenBackup::finish`], it is removed.
#[derive(Debug)]
pub struct WrittenBackup {
    copy: Copy,
    file: PathBuf,
    is_current: bool,
}

/// Where a backup lies until it is complete.
pub fn partial_backup(file: &Path) -> PathBuf {
    beside(file, ".partial")
}

/// Writes what is committed in the database to [`partial_backup`] of `file`, while servers go on. What an interrupted call
/// left there is replaced.
///
/// # Errors
/// [`Error::Invalid`] for PostgreSQL; [`Error::Unavailable`] if the file exists or the copy cannot be written.
pub fn write_backup(url: &DatabaseUrl, options: &StoreOptions, file: &Path) -> Result<WrittenBackup> {
    let database = data_file(url)?;
    database.id()?;
    if fs::symlink_metadata(file).is_ok() {
        return Err(Error::unavailable(format!("{}: File exists; choose another name", file.display())));
    }
    let partial = partial_backup(file);
    backup::discard(&partial)?;
    let copy = Copy(Some(partial));
    let is_current = backup::copy(&database, copy.path(), Modes::new(options.allow_group_read), options.busy_timeout)?;
    Ok(WrittenBackup { copy, file: file.to_owned(), is_current })
}

impl WrittenBackup {
    /// Where the copy lies.
    pub fn path(&self) -> &Path {
        self.copy.path()
    }

    /// Whether the database has exactly the schema of this program.
    pub fn is_current(&self) -> bool {
        self.is_current
    }

    /// Gives the copy its name.
    ///
    /// # Errors
    /// [`Error::Unavailable`] if it cannot be renamed.
    pub fn finish(mut self) -> Result<()> {
        backup::name(self.copy.path(), &self.file)?;
        self.copy.0 = None;
        Ok(())
    }
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
    let Staged { path, is_current } = backup::stage(&file, from, modes, options.busy_timeout, copied)?;
    Ok(StagedBackup { copy: Copy(Some(path)), file, is_current })
}

impl StagedBackup {
    /// Where the copy lies.
    pub fn path(&self) -> &Path {
        self.copy.path()
    }

    /// Whether it has the schema of this program.
    pub fn is_current(&self) -> bool {
        self.is_current
    }

    /// Puts the copy into the place of the data file. What was there gets `name` as the end of its name; returns where it
    /// is, `None` if there was nothing.
    ///
    /// # Errors
    /// [`Error::Unavailable`] if a process uses the data file.
    pub fn put_in_place(mut self, name: &str) -> Result<Option<PathBuf>> {
        let former = backup::put_in_place(&self.file, self.copy.path(), name)?;
        self.copy.0 = None;
        Ok(former)
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
