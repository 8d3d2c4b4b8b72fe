//! `trailkeeper demo`.

use crate::config::{DatabaseArgs, PageArgs};
use crate::failure::Failure;
use crate::{demo, output, wiring};

/// Loads demo data into an empty database and prints what it loaded.
pub fn run(database: &DatabaseArgs, pages: &PageArgs) -> Result<(), Failure> {
    let ports = wiring::open_to_record(database, pages)?;
    let Some(loaded) = demo::load(&ports)? else {
        return Err(Failure::Refused(format!(
            "{}: already has events or records; load demo data into an empty database, named with --data-dir or --database-url",
            ports.url
        )));
    };
    wiring::merge(&ports);
    output::line(loaded.to_string())
}
