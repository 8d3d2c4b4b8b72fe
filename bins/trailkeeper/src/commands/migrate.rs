//! `trailkeeper migrate`.

use crate::config::DatabaseArgs;
use crate::failure::Failure;
use crate::{output, wiring};

/// Brings the database up to date and prints the names of the applied migrations, one per line.
pub fn run(database: &DatabaseArgs) -> Result<(), Failure> {
    let applied = wiring::migrate(database)?;
    if applied.is_empty() {
        return output::line("the database is up to date");
    }
    applied.iter().try_for_each(output::line)
}
