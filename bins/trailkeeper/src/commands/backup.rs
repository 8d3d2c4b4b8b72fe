//! `trailkeeper backup`.

use std::fs;
use std::path::PathBuf;

use clap::Args;
use trailkeeper_auth::audit::{AuditEvent, BACKUP};
use trailkeeper_storage::{StoreOptions, partial_backup, write_backup};

use crate::config::DatabaseArgs;
use crate::copies::{verify_copy, watched};
use crate::failure::Failure;
use crate::output::megabytes;
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
    let options = database.store_options(&StoreOptions::default());
    let failed = |error| Failure::of_database(&url, error);
    let bar = progress::bytes(url.file().and_then(|path| fs::metadata(path).ok()).map(|file| file.len()));
    let written = watched(&partial_backup(file), &bar, || write_backup(&url, &options, file));
    bar.finish_and_clear();
    let written = written.map_err(failed)?;
    let is_current = written.is_current();
    let verified = (is_current && !args.no_verify).then(|| verify_copy(written.path(), &options)).transpose()?;
    written.finish().map_err(failed)?;
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
        let mut event = AuditEvent::done(BACKUP).with("file", file.display().to_string()).with("bytes", bytes);
        if let Some(events) = events {
            event = event.with("events", events);
        }
        audit::record(&ports, event)?;
    }
    Ok(())
}
