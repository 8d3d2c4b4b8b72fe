//! The comparison of a database with its own events, as commands show it.

use trailkeeper_analytics::engine::verify::{Verified, verify};
use trailkeeper_domain::Error;
use trailkeeper_domain::ports::Store;

use crate::failure::Failure;
use crate::{output, progress};

/// Compares a store with its own events, and prints the first differences. A bar shows the months that are done.
pub fn print_differences(
    store: &dyn Store,
    months: &'static str,
    limit: u64,
    failed: impl FnOnce(Error) -> Failure,
) -> Result<Verified, Failure> {
    let bar = progress::events(months);
    let (mut found, mut printed) = (0, Ok(()));
    let verified = verify(store, &mut |progress| progress::show(&bar, progress), &mut |difference| {
        found += 1;
        if found <= limit && printed.is_ok() {
            // The progress bar is hidden meanwhile: it shares the terminal.
            printed = bar.suspend(|| output::line(difference.to_string()));
        }
    });
    bar.finish_and_clear();
    let verified = verified.map_err(failed)?;
    printed?;
    Ok(verified)
}
