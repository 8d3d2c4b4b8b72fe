//! The migrations, embedded in the binary, and the check that a database has all of them and no others.

use std::collections::BTreeMap;

use diesel::backend::Backend;
use diesel::migration::MigrationSource;
use diesel_migrations::{EmbeddedMigrations, embed_migrations};
use trailkeeper_domain::{Error, Result};

/// The migrations of SQLite.
pub const SQLITE: EmbeddedMigrations = embed_migrations!("../../migrations/sqlite");
/// The migrations of PostgreSQL, with the same names.
pub const POSTGRES: EmbeddedMigrations = embed_migrations!("../../migrations/postgres");

/// The end of the version of an expanding migration: `2026-12-24-0042-expand_create_x` has the version
/// `202612240042expand`. It only adds what a program need not know, so programs without it go on reading and writing
/// (`docs/adr/0044-expanding-migrations.md`).
const EXPANDING: &str = "expand";

/// The migrations of a database, compared with those of this program.
#[derive(Debug, PartialEq, Eq)]
pub struct Comparison {
    /// The names of the migrations that the database lacks, oldest first.
    pub pending: Vec<String>,
    /// The versions of the migrations that this program does not have and must not ignore, oldest first.
    unknown: Vec<String>,
    /// The number of migrations that the database has.
    applied: usize,
}

impl Comparison {
    /// Compares the migrations of `source` with the versions in `applied`.
    ///
    /// # Errors
    /// An embedded migration cannot be read.
    pub fn of<DB: Backend>(source: &EmbeddedMigrations, applied: &[String]) -> Result<Self> {
        let all = MigrationSource::<DB>::migrations(source).map_err(Error::internal)?;
        let known: BTreeMap<String, String> = all
            .iter()
            .map(|migration| (migration.name().version().to_string(), migration.name().to_string()))
            .collect();
        let is_foreign = |version: &&String| !known.contains_key(*version) && !version.ends_with(EXPANDING);
        let mut unknown: Vec<String> = applied.iter().filter(is_foreign).map(String::clone).collect();
        unknown.sort_unstable();
        let pending = known.into_iter().filter(|(version, _)| !applied.contains(version)).map(|(_, name)| name);
        Ok(Self { pending: pending.collect(), unknown, applied: applied.len() })
    }

    /// Whether the database has any migration: others are of another program, or new.
    pub fn has_any(&self) -> bool {
        self.applied > 0
    }

    /// Fails if a newer program migrated the database: this one does not know the meaning of its tables.
    ///
    /// # Errors
    /// [`Error::Unavailable`], which names the unknown migrations.
    pub fn none_unknown(&self) -> Result<()> {
        if self.unknown.is_empty() {
            return Ok(());
        }
        Err(Error::unavailable(format!(
            "a newer version of trailkeeper has migrated the database (unknown migrations: {}), so this version does not \
             write to it; run the newer version, or restore the backup from before the upgrade",
            self.unknown.join(", ")
        )))
    }

    /// Fails if the database has not exactly the migrations of this program.
    ///
    /// # Errors
    /// [`Error::Unavailable`], which names the difference.
    pub fn none_different(&self) -> Result<()> {
        self.none_unknown()?;
        if self.pending.is_empty() {
            return Ok(());
        }
        Err(Error::unavailable(format!(
            "the database lacks the migrations {}; run `trailkeeper migrate`",
            self.pending.join(", ")
        )))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(more: &[&str]) -> Comparison {
        let own = MigrationSource::<diesel::sqlite::Sqlite>::migrations(&SQLITE).unwrap();
        let own = own.iter().map(|migration| migration.name().version().to_string());
        let applied: Vec<String> = own.chain(more.iter().map(|&version| version.to_owned())).collect();
        Comparison::of::<diesel::sqlite::Sqlite>(&SQLITE, &applied).unwrap()
    }

    #[test]
    fn only_expanding_migrations_of_a_newer_program_may_be_unknown() {
        of(&["209912310001expand"]).none_different().unwrap();
        for unknown in [&["209912310001"][..], &["209912310001expand", "209912310002"], &["209912310001expanded"]] {
            assert!(of(unknown).none_unknown().is_err(), "{unknown:?}");
        }
    }
}
