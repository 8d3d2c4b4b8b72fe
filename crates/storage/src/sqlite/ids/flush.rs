//! Makes a run of the ids in memory.

use diesel::result::QueryResult;

use super::super::Conn;
use super::build::{RunBuilder, Written};
use super::rows;
use super::state::Known;

/// Writes the ids in memory as the run of this number and shows it.
pub fn flush(conn: &mut Conn, run: i64, known: &Known, budget: u64) -> QueryResult<Written> {
    let recent = &known.recent;
    let mut builder = RunBuilder::new(run, recent.len() as u64, budget);
    for entry in recent.entries() {
        builder.push(conn, entry)?;
    }
    let written = builder.finish(conn, recent.after(), recent.last())?;
    rows::show(conn, written.run.key, &written.header)?;
    Ok(written)
}
