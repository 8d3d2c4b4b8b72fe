//! `trailkeeper restore`.

use std::fs;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};

use clap::Args;
use trailkeeper_auth::audit::{AuditEvent, RESTORE};
use trailkeeper_domain::clock::{Clock as _, SystemClock};
use trailkeeper_storage::{StoreOptions, stage_backup};

use crate::config::DatabaseArgs;
use crate::copies::verify_copy;
use crate::failure::Failure;
use crate::output::megabytes;
use crate::{audit, output, progress, wiring};

/// Arguments of `restore`.
#[derive(Args)]
pub struct RestoreArgs {
    /// File that `trailkeeper backup` wrote. It stays as it is.
    file: PathBuf,
    /// Replace the database that is there; it is kept beside the restored one under another name.
    #[arg(long)]
    replace: bool,
    /// Do not compare the copy with its own events, which takes as long as `trailkeeper verify`.
    #[arg(long)]
    no_verify: bool,
}

/// Copies the backup beside the database, verifies the copy, and puts it into its place.
pub fn run(database: &DatabaseArgs, args: &RestoreArgs) -> Result<(), Failure> {
    let url = database.url()?;
    let place = url.file().map(Path::to_owned);
    if let Some(place) = place.as_ref().filter(|place| fs::metadata(place).is_ok_and(|file| file.len() > 0))
        && !args.replace
    {
        return Err(Failure::Refused(format!(
            "the database {} exists; stop the server, and add --replace to keep it under another name and put the backup \
             into its place",
            place.display()
        )));
    }
    if database.database_url.is_none() {
        database.create_data_dir()?;
    }
    let options = database.store_options(&StoreOptions::default());
    let bar = progress::bytes(fs::metadata(&args.file).ok().map(|file| file.len()));
    let staged = stage_backup(&url, &options, &args.file, &mut |bytes| bar.set_position(bytes));
    bar.finish_and_clear();
    let staged = staged.map_err(|error| Failure::of_database(&url, error))?;
    let is_current = staged.is_current();
    let verified = (is_current && !args.no_verify).then(|| verify_copy(staged.path(), &options)).transpose()?;
    let bytes = fs::metadata(staged.path()).map_err(|error| Failure::of_file(staged.path(), error))?.len();
    let name = format!(".before-restore-{}", SystemClock.now().format("%Y%m%dT%H%M%SZ"));
    let former = staged.put_in_place(&name).map_err(|error| Failure::of_database(&url, error))?;

    let events = verified.as_ref().map(|verified| verified.events);
    let counted = events.map_or_else(|| "not verified".to_owned(), |events| format!("{events} events, verified"));
    output::line(format!("restored {} from {}: {counted}", megabytes(bytes), args.file.display()))?;
    if let Some(former) = &former {
        output::line(format!(
            "the database before is {}; events that were stored after the backup are only there: send them again or import \
             them, and then remove the file",
            former.display()
        ))?;
    }
    if let Some(place) = &place {
        name_other_owner(place)?;
    }
    if is_current {
        let ports = wiring::open(database)?;
        let mut event = AuditEvent::done(RESTORE).with("file", args.file.display().to_string());
        if let Some(events) = events {
            event = event.with("events", events);
        }
        if let Some(former) = former {
            event = event.with("before", former.display().to_string());
        }
        audit::record(&ports, event)?;
    }
    Ok(())
}

/// Says so if the restored file belongs to another user than its folder: the server may be unable to open it.
fn name_other_owner(place: &Path) -> Result<(), Failure> {
    let owner = |path: &Path| fs::metadata(path).map(|file| file.uid()).map_err(|error| Failure::of_file(path, error));
    let Some(folder) = place.parent() else { return Ok(()) };
    let (file, of_folder) = (owner(place)?, owner(folder)?);
    if file == of_folder {
        return Ok(());
    }
    output::line(format!(
        "the file belongs to the user {file} and its folder to {of_folder}; if the server runs as the latter, run `chown \
         {of_folder} {}`",
        place.display()
    ))
}
