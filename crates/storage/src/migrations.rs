//! The migrations, embedded in the binary, and the check that a database has all of them.

use diesel::backend::Backend;
use diesel::migration::MigrationSource;
use diesel_migrations::{EmbeddedMigrations, embed_migrations};
use trailkeeper_domain::{Error, Result};

/// The migrations of SQLite.
pub const SQLITE: EmbeddedMigrations = embed_migrations!("../../migrations/sqlite");
/// The migrations of PostgreSQL, with the same names.
pub const POSTGRES: EmbeddedMigrations = embed_migrations!("../../migrations/postgres");

/// The names of the migrations whose versions are not in `applied`, oldest first.
pub fn missing<DB: Backend>(source: &EmbeddedMigrations, applied: &[String]) -> Result<Vec<String>> {
    let all = MigrationSource::<DB>::migrations(source).map_err(Error::internal)?;
    let mut names: Vec<(String, String)> = all
        .iter()
        .map(|migration| (migration.name().version().to_string(), migration.name().to_string()))
        .filter(|(version, _)| !applied.contains(version))
        .collect();
    names.sort_unstable();
    Ok(names.into_iter().map(|(_, name)| name).collect())
}

/// Fails if the database lacks migrations.
pub fn none_pending(pending: &[String]) -> Result<()> {
    if pending.is_empty() {
        return Ok(());
    }
    Err(Error::unavailable(format!(
        "the database lacks the migrations {}; run `trailkeeper migrate`",
        pending.join(", ")
    )))
}
