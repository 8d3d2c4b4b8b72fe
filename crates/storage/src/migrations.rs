//! The migrations, embedded in the binary, and what a database lacks of them.

use diesel::backend::Backend;
use diesel::migration::MigrationSource;
use diesel_migrations::{EmbeddedMigrations, embed_migrations};
use trailkeeper_domain::{Error, Result};

/// SQLite's.
pub const SQLITE: EmbeddedMigrations = embed_migrations!("../../migrations/sqlite");
/// PostgreSQL's: the same names.
pub const POSTGRES: EmbeddedMigrations = embed_migrations!("../../migrations/postgres");

/// Names of the migrations whose versions are not among `applied`, oldest first.
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

/// Refuses a database that lacks migrations.
pub fn none_pending(pending: &[String]) -> Result<()> {
    if pending.is_empty() {
        return Ok(());
    }
    Err(Error::unavailable(format!(
        "the database lacks the migrations {}; run `trailkeeper migrate`",
        pending.join(", ")
    )))
}
