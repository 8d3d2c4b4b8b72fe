//! Converts errors of tokio-postgres to errors of diesel.
//!
//! The message begins with the SQLSTATE, because diesel has no field for it. Nothing else distinguishes causes: the text
//! of a message is in the language of the server.

use std::time::Duration;

use diesel::result::{DatabaseErrorInformation, DatabaseErrorKind, Error};
use tokio_postgres::error::{DbError, Severity, SqlState};
use trailkeeper_domain::error::Chain;

/// The SQLSTATE `connection_failure`.
pub const CONNECTION_FAILURE: &str = "08006";

/// An error of the server or of the connection. Its message begins with the five characters of a SQLSTATE and a colon.
#[derive(Debug)]
struct Failure {
    message: String,
    details: Option<DbError>,
}

impl DatabaseErrorInformation for Failure {
    fn message(&self) -> &str {
        &self.message
    }

    fn details(&self) -> Option<&str> {
        self.details.as_ref()?.detail()
    }

    fn hint(&self) -> Option<&str> {
        self.details.as_ref()?.hint()
    }

    fn table_name(&self) -> Option<&str> {
        self.details.as_ref()?.table()
    }

    fn column_name(&self) -> Option<&str> {
        self.details.as_ref()?.column()
    }

    fn constraint_name(&self) -> Option<&str> {
        self.details.as_ref()?.constraint()
    }

    fn statement_position(&self) -> Option<i32> {
        None
    }
}

/// Converts an error to an error of diesel.
pub fn of(error: &tokio_postgres::Error) -> Error {
    let Some(details) = error.as_db_error() else {
        return of_connection(&Chain(error).to_string());
    };
    let kind = match *details.code() {
        SqlState::UNIQUE_VIOLATION => DatabaseErrorKind::UniqueViolation,
        SqlState::FOREIGN_KEY_VIOLATION => DatabaseErrorKind::ForeignKeyViolation,
        SqlState::NOT_NULL_VIOLATION => DatabaseErrorKind::NotNullViolation,
        SqlState::CHECK_VIOLATION => DatabaseErrorKind::CheckViolation,
        SqlState::T_R_SERIALIZATION_FAILURE => DatabaseErrorKind::SerializationFailure,
        SqlState::READ_ONLY_SQL_TRANSACTION => DatabaseErrorKind::ReadOnlyTransaction,
        _ => DatabaseErrorKind::Unknown,
    };
    let message = format!("{}: {}", details.code().code(), details.message());
    Error::DatabaseError(kind, Box::new(Failure { message, details: Some(details.clone()) }))
}

/// The error of a server that did not answer within `timeout`.
pub fn no_answer(timeout: Duration) -> Error {
    of_connection(&format!("no answer within {} s", timeout.as_secs()))
}

/// The error of a connection that was lost earlier.
pub fn lost() -> Error {
    not_sent("the connection was lost before")
}

/// The error of a statement that is not sent, because the time of its request is used up.
pub fn no_time_left() -> Error {
    not_sent("the request's time was used up before")
}

/// Whether the connection can no longer be used.
///
/// A server that shuts down sends its reason and then closes the connection. In between, the client does not report the
/// connection as closed yet. The severity of the reason says that the session ends. The SQLSTATE does not: the coordinator
/// of a Citus cluster reports a worker that is down as 08006 or XX000 of one statement, and goes on.
pub fn is_fatal(error: &tokio_postgres::Error) -> bool {
    error.as_db_error().is_none_or(|details| match details.parsed_severity() {
        Some(severity) => matches!(severity, Severity::Fatal | Severity::Panic),
        // A server older than 9.6, or a proxy in front of one, sends the severity only in its own language.
        None => ["08", "57P"].iter().any(|class| details.code().code().starts_with(class)),
    })
}

/// The error of a connection that may have ended after the server got the statement.
fn of_connection(cause: &str) -> Error {
    connection_failure(DatabaseErrorKind::ClosedConnection, cause)
}

/// The error of a statement that the server never got.
fn not_sent(cause: &str) -> Error {
    connection_failure(DatabaseErrorKind::UnableToSendCommand, cause)
}

fn connection_failure(kind: DatabaseErrorKind, cause: &str) -> Error {
    let message = format!("{CONNECTION_FAILURE}: {cause}");
    Error::DatabaseError(kind, Box::new(Failure { message, details: None }))
}
