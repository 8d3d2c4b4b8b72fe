//! Compares the migrations of the file with those of this program.

use trailkeeper_domain::Result;

use super::queries;
use crate::error;
use crate::migrations::{Comparison, SQLITE};

/// The comparison.
///
/// # Errors
/// Those of the database.
pub fn compared(conn: &mut diesel::SqliteConnection) -> Result<Comparison> {
    let applied = queries::applied_migrations(conn).map_err(|failure| error::of_statement("migrations", failure))?;
    Comparison::of::<diesel::sqlite::Sqlite>(&SQLITE, applied.as_deref().unwrap_or_default())
}
