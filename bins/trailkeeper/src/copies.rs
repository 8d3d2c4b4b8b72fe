//! Copies of a database: backups, and what is to be restored.

use std::fs;
use std::path::Path;
use std::sync::mpsc::{self, RecvTimeoutError};
use std::thread;
use std::time::Duration;

use indicatif::ProgressBar;
use trailkeeper_analytics::engine::verify::Verified;
use trailkeeper_storage::{DatabaseUrl, StoreOptions};

use crate::failure::Failure;
use crate::verification::print_differences;

/// The pause between two looks at a file that grows.
const LOOK: Duration = Duration::from_millis(200);
/// The number of differences that are printed.
const SHOWN: u64 = 10;

/// Compares a copy with its own events, as `trailkeeper verify` does. Fails if there is a difference.
pub fn verify_copy(path: &Path, options: &StoreOptions) -> Result<Verified, Failure> {
    let url = DatabaseUrl::parse(&format!("sqlite:{}", path.display()))?;
    let failed = |error| Failure::of_database(&url, error);
    let store = trailkeeper_storage::open(&url, options).map_err(failed)?;
    let verified = print_differences(store.as_ref(), "months of the copy", SHOWN, failed)?;
    if verified.differences == 0 {
        return Ok(verified);
    }
    Err(Failure::Refused(format!(
        "the copy has {} differences between its events and what is derived from them, so the database that it is from has \
         them too; run `trailkeeper verify` and `trailkeeper rebuild` on that database, or copy with --no-verify",
        verified.differences
    )))
}

/// Runs `work` while a bar shows how long a file is.
pub fn watched<T: Send>(path: &Path, bar: &ProgressBar, work: impl FnOnce() -> T + Send) -> T {
    thread::scope(|scope| {
        let (done, is_done) = mpsc::channel::<()>();
        scope.spawn(move || {
            while is_done.recv_timeout(LOOK) == Err(RecvTimeoutError::Timeout) {
                bar.set_position(fs::metadata(path).map_or(0, |file| file.len()));
            }
        });
        let outcome = work();
        drop(done);
        outcome
    })
}
