//! Translates errors of the databases to errors of the domain. No other file knows their codes and texts.
//!
//! An error because others use the database is `Overloaded`. An error that the operator can cure (a database that is
//! down, full or read-only) is `Unavailable`. Clients send both requests again. Every other error is a defect or
//! corrupt data: `Internal`.

use diesel::result::{ConnectionError, DatabaseErrorKind, Error as DieselError};
use trailkeeper_domain::Error;
use trailkeeper_domain::error::Context;

/// Texts of SQLite's errors if another connection holds a lock. diesel passes on the text without the code, and SQLite
/// never translates the text.
const SQLITE_BUSY: [&str; 3] = ["database is locked", "database table is locked", "database schema is locked"];

/// Texts of SQLite's errors that the operator can cure.
const SQLITE_UNAVAILABLE: [&str; 6] = [
    "database or disk is full",
    "disk I/O error",
    "unable to open database",
    "attempt to write a readonly database",
    "locking protocol",
    "large file support is disabled",
];

/// Classes and codes of SQLSTATE that the operator can cure: connection, resources, wrong state, system, intervention
/// (shutdown, a statement that took too long), read-only, authentication, a missing database, and damage inside the
/// server (a corrupt table or index): the same request works once that is repaired.
const SQLSTATE_UNAVAILABLE: [&str; 10] = ["08", "53", "55", "58", "57014", "57P", "25006", "28", "3D000", "XX"];

/// Classes and codes of SQLSTATE for conflicts with others: too many connections, a lock that is held, transactions that
/// conflict.
const SQLSTATE_BUSY: [&str; 3] = ["53300", "55P03", "40"];

/// The SQLSTATE of what a server does not support.
const NOT_SUPPORTED: &str = "0A000";

/// SQLSTATEs after which the transaction may be run again: serialization failure and deadlock.
const SQLSTATE_RETRY: [&str; 2] = ["40001", "40P01"];

/// Translates the error of a statement on `table`.
pub fn of_statement(table: &str, error: DieselError) -> Error {
    if let DieselError::DatabaseError(kind, information) = &error {
        let text = information.message();
        if is_not_storable(text) {
            return Error::malformed(
                "invalid_parameter",
                "the request contains a NUL character, which no text may hold; remove it",
            );
        }
        let closed = matches!(
            kind,
            DatabaseErrorKind::ClosedConnection
                | DatabaseErrorKind::UnableToSendCommand
                | DatabaseErrorKind::SerializationFailure
                | DatabaseErrorKind::ReadOnlyTransaction
        );
        if is_busy(text) {
            let busy = "the database is busy with other work; nothing of this request was stored";
            return Error::overloaded(busy, Context::new(table, error));
        }
        if closed || is_unavailable(text) {
            return Error::unavailable(Context::new(table, error));
        }
        if let Some(constraint) = information.constraint_name() {
            return Error::internal(Context::new(format!("{table} ({constraint})"), error));
        }
    }
    Error::internal(Context::new(table, error))
}

/// Translates the error of the statement that opens a transaction. A standby server refuses one that may write as a feature
/// that it does not support.
pub fn of_begin(error: DieselError) -> Error {
    match &error {
        DieselError::DatabaseError(_, information) if sqlstate(information.message()) == Some(NOT_SUPPORTED) => {
            Error::unavailable(Context::new("begin: the database is a standby and takes no writes", error))
        }
        _ => of_statement("begin", error),
    }
}

/// Translates the error of a commit. If its answer did not come, it may have taken place.
pub fn of_commit(error: DieselError) -> Error {
    match error {
        // The rollback after the failed commit needs a connection, too.
        DieselError::RollbackErrorOnCommit { commit_error, .. } => of_commit(*commit_error),
        DieselError::DatabaseError(DatabaseErrorKind::ClosedConnection, _) => {
            Error::unanswered_commit(Context::new("commit", error))
        }
        other => of_statement("commit", other),
    }
}

/// Translates a failure to connect.
pub fn of_connection(error: ConnectionError) -> Error {
    Error::unavailable(error)
}

/// Translates a failed migration.
pub fn of_migration(error: Box<dyn std::error::Error + Send + Sync>) -> Error {
    match error.downcast::<DieselError>() {
        Ok(error) => of_statement("migrations", *error),
        Err(error) if is_unavailable(&error.to_string()) || is_busy(&error.to_string()) => Error::unavailable(error),
        Err(error) => Error::internal(Context::new("migrations", error)),
    }
}

/// Whether the statement failed because a unique key exists already.
pub fn is_unique_violation(error: &DieselError) -> bool {
    matches!(error, DieselError::DatabaseError(DatabaseErrorKind::UniqueViolation, _))
}

/// Whether the database asks to run the transaction again.
pub fn asks_for_retry(error: &DieselError) -> bool {
    matches!(error, DieselError::DatabaseError(_, information)
        if sqlstate(information.message()).is_some_and(|state| SQLSTATE_RETRY.contains(&state)))
}

fn is_unavailable(text: &str) -> bool {
    is_one_of(text, &SQLSTATE_UNAVAILABLE, &SQLITE_UNAVAILABLE)
}

fn is_busy(text: &str) -> bool {
    is_one_of(text, &SQLSTATE_BUSY, &SQLITE_BUSY)
}

fn is_one_of(text: &str, states: &[&str], texts: &[&str]) -> bool {
    match sqlstate(text) {
        Some(state) => states.iter().any(|class| state.starts_with(class)),
        None => texts.iter().any(|known| text.contains(known)),
    }
}

/// Whether PostgreSQL cannot store a byte sequence as text. Validation of requests rejects such text earlier; this is the
/// second line of defence.
fn is_not_storable(text: &str) -> bool {
    sqlstate(text).is_some_and(|state| state == "22021" || state == "22P05")
}

/// The SQLSTATE at the beginning of a message of PostgreSQL, see `postgres::failure`.
fn sqlstate(text: &str) -> Option<&str> {
    let (state, _) = text.split_once(": ")?;
    let looks_right = state.len() == 5 && state.bytes().all(|b| b.is_ascii_uppercase() || b.is_ascii_digit());
    looks_right.then_some(state)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn translated(text: &str) -> Error {
        of_statement("events", DieselError::DatabaseError(DatabaseErrorKind::Unknown, Box::new(text.to_owned())))
    }

    #[test]
    fn curable_errors_are_unavailable() {
        for text in [
            "database or disk is full",
            "disk I/O error",
            "08006: connection closed",
            "53100: could not extend file",
            "57P01: terminating connection due to administrator command",
            "57014: canceling statement due to statement timeout",
            "25006: cannot execute INSERT in a read-only transaction",
            "58030: could not read block",
            "XX000: could not open relation with OID 16385",
            "XX001: invalid page in block 0 of relation base/16384/16397",
            "XX002: index \"events_by_time\" contains unexpected zero page at block 3",
        ] {
            assert!(matches!(translated(text), Error::Unavailable { .. }), "{text}");
        }
    }

    #[test]
    fn a_standby_is_unavailable_for_writes() {
        let text = "0A000: cannot set transaction read-write mode during recovery".to_owned();
        let error = || DieselError::DatabaseError(DatabaseErrorKind::Unknown, Box::new(text.clone()));
        assert!(matches!(of_begin(error()), Error::Unavailable { maybe_stored: false, .. }));
        assert!(matches!(of_statement("events", error()), Error::Internal { .. }), "elsewhere it is a defect");
    }

    #[test]
    fn conflicts_with_others_are_overloaded() {
        for text in [
            "database is locked",
            "database table is locked",
            "53300: sorry, too many clients already",
            "55P03: could not obtain lock on row",
            "40001: could not serialize access",
        ] {
            assert!(matches!(translated(text), Error::Overloaded { .. }), "{text}");
        }
    }

    /// Real errors of SQLite have the texts above.
    #[test]
    fn sqlite_reports_that_it_is_full_or_read_only_or_missing() {
        use diesel::connection::SimpleConnection;
        use diesel::{Connection, SqliteConnection};

        let full = "CREATE TABLE t (x); PRAGMA max_page_count = 3; INSERT INTO t VALUES (zeroblob(100000))";
        let read_only = "CREATE TABLE t (x); PRAGMA query_only = ON; INSERT INTO t VALUES (1)";
        let missing = "ATTACH '/nonexistent/folder/file.db' AS other";
        for sql in [full, read_only, missing] {
            let failure = SqliteConnection::establish(":memory:").unwrap().batch_execute(sql).unwrap_err();
            let error = of_statement("events", failure);
            assert!(matches!(error, Error::Unavailable { .. }), "{sql}: {error}");
        }
    }

    #[test]
    fn defects_and_corrupt_data_are_internal() {
        for text in [
            "database disk image is malformed",
            "file is not a database",
            "no such table: events",
            "42P01: relation \"events\" does not exist",
            "23514: new row violates a check constraint",
            "disk: is not a sqlstate",
        ] {
            assert!(matches!(translated(text), Error::Internal { .. }), "{text}");
        }
    }

    #[test]
    fn a_nul_character_is_an_invalid_request() {
        assert!(matches!(translated("22021: invalid byte sequence for encoding \"UTF8\": 0x00"), Error::Invalid(_)));
    }

    #[test]
    fn only_serialization_failures_and_deadlocks_are_retried() {
        let error = |text: &str| DieselError::DatabaseError(DatabaseErrorKind::Unknown, Box::new(text.to_owned()));
        assert!(asks_for_retry(&error("40P01: deadlock detected")));
        assert!(asks_for_retry(&error("40001: could not serialize access")));
        assert!(!asks_for_retry(&error("57014: canceling statement")));
        assert!(!asks_for_retry(&error("database is locked")));
    }
}
