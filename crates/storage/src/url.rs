//! The URL of the database.

use std::fmt;
use std::path::{Path, PathBuf};

use trailkeeper_domain::{Error, Result};

use crate::postgres::PgTarget;

/// The URL of a SQLite file or a PostgreSQL database. Its `Display` and `Debug` hide passwords.
#[derive(Clone)]
pub struct DatabaseUrl(pub(crate) Target);

/// The two kinds of database.
#[derive(Clone)]
pub(crate) enum Target {
    Sqlite(PathBuf),
    Postgres(Box<PgTarget>),
}

const FIELD: &str = "database-url";

impl DatabaseUrl {
    /// Parses `sqlite:PATH`, `sqlite://PATH`, `postgres://…` or `postgresql://…`.
    ///
    /// A relative path becomes absolute. A PostgreSQL URL has libpq's form, with `sslmode` disable, prefer (the default),
    /// require or verify-full, and with `sslrootcert` for verify-full.
    ///
    /// ```
    /// use trailkeeper_storage::DatabaseUrl;
    ///
    /// let url = DatabaseUrl::parse("postgres://tk:hunter2@db.example/trailkeeper?sslmode=require")?;
    /// assert_eq!(url.to_string(), "postgres://tk:***@db.example/trailkeeper?sslmode=require");
    /// assert!(DatabaseUrl::parse("sqlite:/var/lib/trailkeeper/data.db")?.is_sqlite());
    /// assert!(DatabaseUrl::parse("mysql://localhost/trailkeeper").is_err());
    /// # Ok::<(), trailkeeper_domain::Error>(())
    /// ```
    ///
    /// # Errors
    /// The URL is invalid, or the file of `sslrootcert` cannot be read. The error does not show the URL, which may hold a
    /// password.
    pub fn parse(url: &str) -> Result<Self> {
        if let Some(path) = url.strip_prefix("sqlite://").or_else(|| url.strip_prefix("sqlite:")) {
            return sqlite_path(path).map(Target::Sqlite).map(Self);
        }
        if url.starts_with("postgres://") || url.starts_with("postgresql://") {
            return PgTarget::parse(FIELD, url).map(|target| Self(Target::Postgres(Box::new(target))));
        }
        // The error does not show the text: it may be `host=… password=…`.
        Err(Error::invalid(
            FIELD,
            "is neither a SQLite nor a PostgreSQL URL; write sqlite:PATH or postgres://USER:PASSWORD@HOST/NAME",
        ))
    }

    /// The SQLite file; `None` for PostgreSQL.
    pub fn file(&self) -> Option<&Path> {
        match &self.0 {
            Target::Sqlite(path) => Some(path),
            Target::Postgres(_) => None,
        }
    }

    /// Whether the database is a SQLite file.
    pub fn is_sqlite(&self) -> bool {
        matches!(self.0, Target::Sqlite(_))
    }
}

/// Shows the URL with `***` in place of a password.
impl fmt::Display for DatabaseUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.0 {
            Target::Sqlite(path) => write!(f, "sqlite:{}", path.display()),
            Target::Postgres(target) => target.fmt(f),
        }
    }
}

/// Shows the same as [`fmt::Display`], without the password.
impl fmt::Debug for DatabaseUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

fn sqlite_path(path: &str) -> Result<PathBuf> {
    if path.is_empty() || path.ends_with('/') {
        return Err(Error::invalid(
            FIELD,
            "names no file; write sqlite:PATH, for example sqlite:./data/trailkeeper.db",
        ));
    }
    if path == ":memory:" || path.contains(['?', '#']) {
        return Err(Error::invalid(FIELD, "is not a plain path; parameters and databases in memory are not supported"));
    }
    // The path is made absolute because later changes of the working directory must not change the file.
    std::path::absolute(Path::new(path))
        .map_err(|error| Error::invalid(FIELD, format!("'{path}' cannot be made an absolute path: {error}")))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn urls_are_read_and_shown_without_passwords() {
        for (url, shown) in [
            ("sqlite:/var/lib/tk/data.db", "sqlite:/var/lib/tk/data.db"),
            ("sqlite:///var/lib/tk/data.db", "sqlite:/var/lib/tk/data.db"),
            ("postgres://tk:s%40cret@db.example:5433/tk", "postgres://tk:***@db.example:5433/tk"),
            ("postgresql://tk@db.example/tk?sslmode=require", "postgresql://tk@db.example/tk?sslmode=require"),
            (
                "postgres://db.example/tk?password=secret&sslmode=disable",
                "postgres://db.example/tk?password=***&sslmode=disable",
            ),
            ("postgres://db.example/tk?pass%77ord=secret", "postgres://db.example/tk?password=***"),
            // The driver accepts these, because it ends the login at the first `@`.
            ("postgres://tk:s/cret@db.example/tk", "postgres://tk:***@db.example/tk"),
            ("postgres://tk:s?cret@db.example/tk", "postgres://tk:***@db.example/tk"),
            ("postgres://tk:s@c/ret@db.example/tk", "postgres://tk:***@db.example/tk"),
            ("postgres://db.example/tk?password=s:cr@et", "postgres://***@et"),
            (
                "postgres://tk@db.example:5433/tk?application_name=a@b",
                "postgres://tk@db.example:5433/tk?application_name=a@b",
            ),
        ] {
            let parsed = DatabaseUrl::parse(url).unwrap();
            assert_eq!(parsed.to_string(), shown);
            assert_eq!(format!("{parsed:?}"), shown);
            assert_eq!(parsed.is_sqlite(), url.starts_with("sqlite"));
        }
        assert!(DatabaseUrl::parse("sqlite:data.db").unwrap().to_string().starts_with("sqlite:/"));
    }

    #[test]
    fn errors_name_the_field_and_no_password() {
        for url in [
            "",
            "mysql://root:hunter2@localhost/x",
            "host=localhost password=hunter2 options=a:b",
            "sqlite:",
            "sqlite::memory:",
            "sqlite:x.db?mode=ro",
            "sqlite:x.db?key=hunter2",
            "postgres://tk:hunter2@db.example/tk?sslmode=allow",
            "postgres://tk:hunter2@db.example/tk?sslmode=verify-full&sslrootcert=/nonexistent/root.pem",
            "postgres://tk:hunter2@db.example:port/tk",
        ] {
            let error = DatabaseUrl::parse(url).unwrap_err().to_string();
            assert!(error.starts_with("database-url: "), "{error}");
            assert!(!error.contains("hunter2"), "{error}");
        }
    }
}
