//! Copies of a data file: written while others use it, and put in its place while nobody does.

use std::fs::{self, File, OpenOptions};
use std::io::{ErrorKind, Read, Write};
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};
use std::time::Duration;

use diesel::connection::SimpleConnection as _;
use diesel::sql_types::{Binary, Text};
use diesel::{RunQueryDsl as _, sql_query};
use trailkeeper_domain::error::Context;
use trailkeeper_domain::{Error, Result};

use super::connection::{FileConnection, Purpose};
use super::file::{DataFile, beside};
use super::permissions::Modes;
use super::schema_check;
use crate::content_version::new_identity;
use crate::error;

/// The first bytes of every file of SQLite (<https://www.sqlite.org/fileformat.html>).
const MAGIC: &[u8; 16] = b"SQLite format 3\0";
/// The bytes that are copied at once.
const CHUNK: usize = 1 << 20;
/// How long to wait for others to leave a file that is to be replaced.
const LEAVE: Duration = Duration::from_secs(2);

/// A copy that lies beside the data file, to take its place.
#[derive(Debug)]
pub struct Staged {
    /// Its path.
    pub path: PathBuf,
    /// Whether it has the schema of this program. The first start migrates an older one.
    pub is_current: bool,
}

/// Writes what is committed in the data file to `target`, which must not exist. Servers may read and write meanwhile; the
/// log of the file grows until the copy is complete, because the copy reads one snapshot.
///
/// Returns whether the database has exactly the schema of this program.
///
/// # Errors
/// [`Error::Unavailable`] if the target exists or cannot be written. Then it may hold a part of the copy.
pub fn copy(file: &DataFile, target: &Path, modes: Modes, busy_timeout: Duration) -> Result<bool> {
    let failed = |failure| error::of_statement("backup", failure);
    let Some(text) = target.to_str() else {
        return Err(Error::unavailable(format!("the path {} is not in UTF-8; choose another one", target.display())));
    };
    // SQLite fills an empty file, so nobody else can read the copy at any time.
    let created = create(target, modes)?;
    let mut connection = FileConnection::open(file, Purpose::Read, busy_timeout)?;
    // The setting of readers keeps SQLite from writing to any file.
    connection.inner.batch_execute("PRAGMA query_only = OFF; PRAGMA temp_store = FILE;").map_err(failed)?;
    sql_query("VACUUM INTO ?").bind::<Text, _>(text).execute(&mut connection.inner).map_err(failed)?;
    created.sync_all().map_err(|error| unusable(target, error))?;
    sync_folder(target)?;
    Ok(schema_check::compared(&mut connection.inner)?.none_different().is_ok())
}

/// Copies a backup beside the data file, and gives the copy an identity of its own. `copied` gets the number of bytes after
/// each step.
///
/// # Errors
/// [`Error::Unavailable`] if the backup cannot be read, is no database of this program or of a newer version, or has a log
/// beside it; then no copy is left.
pub fn stage(
    file: &DataFile,
    backup: &Path,
    modes: Modes,
    busy_timeout: Duration,
    copied: &mut dyn FnMut(u64),
) -> Result<Staged> {
    let log = beside(backup, "-wal");
    if fs::metadata(&log).is_ok_and(|log| log.len() > 0) {
        return Err(Error::unavailable(format!(
            "{} belongs to {}, which is then a database in use, or a copy of one without what is in the log; restore a \
             file that `trailkeeper backup` or SQLite's .backup wrote",
            log.display(),
            backup.display()
        )));
    }
    let staged = beside(&in_place(file)?, ".restoring");
    // A restore that was interrupted may have left it.
    remove(&staged)?;
    let prepared = copy_bytes(backup, &staged, modes, copied).and_then(|()| prepare(&staged, backup, busy_timeout));
    match prepared {
        Ok(is_current) => Ok(Staged { path: staged, is_current }),
        Err(error) => {
            discard(&staged)?;
            Err(error)
        }
    }
}

/// Removes a copy, or a part of one, and what SQLite keeps beside it.
pub fn discard(copy: &Path) -> Result<()> {
    ["", "-wal", "-shm", "-journal"].into_iter().try_for_each(|suffix| remove(&beside(copy, suffix)))
}

/// Gives a complete copy its name.
pub fn name(copy: &Path, name: &Path) -> Result<()> {
    rename(copy, name)?;
    sync_folder(name)
}

/// Puts a staged copy into the place of the data file. What was there gets `name` as the end of its name; returns where it is,
/// `None` if there was nothing.
///
/// # Errors
/// [`Error::Unavailable`] if a process uses the data file.
pub fn put_in_place(file: &DataFile, staged: &Path, name: &str) -> Result<Option<PathBuf>> {
    let place = in_place(file)?;
    let is_there = fs::metadata(&place).is_ok_and(|file| file.len() > 0);
    let former = if is_there {
        leave(&DataFile::new(place.clone()))?;
        let former = beside(&place, name);
        rename(&place, &former)?;
        Some(former)
    } else {
        None
    };
    for suffix in ["-wal", "-shm"] {
        remove(&beside(&place, suffix))?;
    }
    self::name(staged, &place)?;
    Ok(former)
}

/// Waits until no other process has the file open, and moves everything from its log into it.
fn leave(file: &DataFile) -> Result<()> {
    let mut connection = FileConnection::open(file, Purpose::Write, LEAVE)?;
    // A connection holds a shared lock as long as it is open, and this lock excludes it.
    connection.inner.batch_execute("PRAGMA locking_mode = EXCLUSIVE; BEGIN EXCLUSIVE; COMMIT;").map_err(|failure| {
        let cause = error::of_statement("lock", failure);
        Error::unavailable(Context::new(
            format!("{} is in use; stop the server and everything else that has it open", file.path().display()),
            cause,
        ))
    })?;
    connection.empty_log()
}

/// Checks a staged copy, and gives it an identity of its own. Returns whether it has the schema of this program.
fn prepare(staged: &Path, backup: &Path, busy_timeout: Duration) -> Result<bool> {
    let failed = |failure| error::of_statement("content_version", failure);
    let mut connection = FileConnection::open(&DataFile::new(staged.to_owned()), Purpose::Write, busy_timeout)?;
    let found = schema_check::compared(&mut connection.inner)?;
    found.none_unknown()?;
    if !found.has_any() {
        return Err(Error::unavailable(format!("{} is no database of Trailkeeper", backup.display())));
    }
    if !found.pending.is_empty() {
        return Ok(false);
    }
    // Positions of events after the backup are given again, so nothing that knows positions may take this for the same
    // database.
    sql_query("UPDATE content_version SET database_id = ?, changes = changes + 1")
        .bind::<Binary, _>(new_identity()?.as_bytes().to_vec())
        .execute(&mut connection.inner)
        .map_err(failed)?;
    connection.empty_log()?;
    Ok(true)
}

fn copy_bytes(from: &Path, to: &Path, modes: Modes, copied: &mut dyn FnMut(u64)) -> Result<()> {
    let mut source = File::open(from).map_err(|error| unusable(from, error))?;
    let mut target = create(to, modes)?;
    let (mut chunk, mut bytes) = (vec![0; CHUNK], 0);
    loop {
        let length = source.read(&mut chunk).map_err(|error| unusable(from, error))?;
        let some = chunk.get(..length).unwrap_or_default();
        if bytes == 0 && !some.starts_with(MAGIC) {
            return Err(Error::unavailable(format!("{} is no SQLite file", from.display())));
        }
        if some.is_empty() {
            break;
        }
        target.write_all(some).map_err(|error| unusable(to, error))?;
        bytes += some.len() as u64;
        copied(bytes);
    }
    target.sync_all().map_err(|error| unusable(to, error))
}

/// The path of the file itself: SQLite follows links, and keeps its other files beside their target.
fn in_place(file: &DataFile) -> Result<PathBuf> {
    match fs::canonicalize(file.path()) {
        Ok(path) => Ok(path),
        Err(error) if error.kind() == ErrorKind::NotFound => Ok(file.path().to_owned()),
        Err(error) => Err(unusable(file.path(), error)),
    }
}

fn create(path: &Path, modes: Modes) -> Result<File> {
    let created = OpenOptions::new().write(true).create_new(true).mode(modes.file).open(path);
    created.map_err(|error| unusable(path, error))
}

fn rename(from: &Path, to: &Path) -> Result<()> {
    fs::rename(from, to).map_err(|error| unusable(from, error))
}

fn remove(path: &Path) -> Result<()> {
    match fs::remove_file(path) {
        Err(error) if error.kind() != ErrorKind::NotFound => Err(unusable(path, error)),
        _ => Ok(()),
    }
}

/// Makes the name of a file in its folder durable.
fn sync_folder(path: &Path) -> Result<()> {
    let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
    File::open(folder).and_then(|folder| folder.sync_all()).map_err(|error| unusable(folder, error))
}

fn unusable(path: &Path, error: std::io::Error) -> Error {
    Error::unavailable(Context::new(path.display().to_string(), error))
}
