//! `trailkeeper backup`.

use std::fs;
use std::path::{Path, PathBuf};

use clap::Args;
use trailkeeper_auth::audit::{AuditEvent, BACKUP};
use trailkeeper_storage::{StoreOptions, write_backup};

use crate::config::DatabaseArgs;
use crate::copies::{megabytes, verify_copy, watched, with_suffix};
use crate::failure::Failure;
use crate::{audit, output, progress, wiring};

/// Arguments of `backup`.
#[derive(Args)]
pub struct BackupArgs {
    /// File to write, which must not exist. It holds all events and the hashes of passwords and tokens.
    file: PathBuf,
    /// Do not compare the copy with its own events, which takes as long as `trailkeeper verify`.
    #[arg(long)]
    no_verify: bool,
}

/// Writes the copy under another name, verifies it, and gives it its name. So a file with that name is complete.
pub fn run(database: &DatabaseArgs, args: &BackupArgs) -> Result<(), Failure> {
    let url = database.url()?;
    let file = &args.file;
    if fs::symlink_metadata(file).is_ok() {
        return Err(Failure::Refused(format!("{} exists; choose another name", file.display())));
    }
    let options = database.store_options(&StoreOptions::default());
    let partial = with_suffix(file, ".partial");
    // A backup that was interrupted may have left it.
    discard(&partial)?;
    let bar = progress::bytes(url.file().and_then(|path| fs::metadata(path).ok()).map(|file| file.len()));
    let written = watched(&partial, &bar, || write_backup(&url, &options, &partial));
    bar.finish_and_clear();
    let verified = written.map_err(|error| Failure::of_database(&url, error)).and_then(|is_current| {
        let verified = (is_current && !args.no_verify).then(|| verify_copy(&partial, &options)).transpose()?;
        Ok((is_current, verified))
    });
    let (is_current, verified) = match verified {
        Ok(verified) => verified,
        Err(failure) => {
            discard(&partial)?;
            return Err(failure);
        }
    };
    fs::rename(&partial, file).map_err(|error| Failure::of_file(file, error))?;
    let bytes = fs::metadata(file).map_err(|error| Failure::of_file(file, error))?.len();
    let about = format!("{}, {}", file.display(), megabytes(bytes));
    let events = verified.as_ref().map(|verified| verified.events);
    match events {
        Some(events) => output::line(format!("{about}: {events} events, verified"))?,
        None if is_current => output::line(format!("{about}, not verified"))?,
        None => output::line(format!(
            "{about}, not verified, because another version of trailkeeper made the tables of the database"
        ))?,
    }
    output::line(
        "keep the master key in another place: without it, the secrets of signing keys in the backup are lost",
    )?;
    if is_current {
        let ports = wiring::open(database)?;
        let event = AuditEvent::done(BACKUP).with("file", file.display().to_string()).with("bytes", bytes);
        audit::record(&ports, events.into_iter().fold(event, |event, events| event.with("events", events)))?;
    }
    Ok(())
}

/// Removes a part of a copy, and what SQLite keeps beside it.
fn discard(partial: &Path) -> Result<(), Failure> {
    for suffix in ["", "-wal", "-shm", "-journal"] {
        let path = with_suffix(partial, suffix);
        match fs::remove_file(&path) {
            Err(error) if error.kind() != std::io::ErrorKind::NotFound => return Err(Failure::of_file(&path, error)),
            _ => {}
        }
    }
    Ok(())
}
