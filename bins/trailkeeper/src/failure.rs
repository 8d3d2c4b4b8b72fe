//! The failure of a command, reported as one line on stderr and an exit status.

use std::io;
use std::path::Path;
use std::process::ExitCode;

use trailkeeper_domain::Error;
use trailkeeper_domain::error::{BoxedError, Cause, Chain};
use trailkeeper_http::TlsError;

/// Why a command failed.
#[derive(Debug, thiserror::Error)]
pub enum Failure {
    /// A use case rejected its input or failed.
    #[error(transparent)]
    Domain(#[from] Error),
    /// A use case failed because of the database.
    #[error("{url}")]
    Database {
        /// Address of the database, without its password.
        url: String,
        /// The cause.
        #[source]
        cause: Cause,
    },
    /// The database cannot serve, and the cause names its address.
    #[error(transparent)]
    Unavailable(BoxedError),
    /// Certificate and key cannot be used.
    #[error(transparent)]
    Tls(#[from] TlsError),
    /// A file or stream failed.
    #[error("{what}")]
    Io {
        /// The file or stream, and the failed action if it is not obvious.
        what: String,
        /// The error of the system.
        source: io::Error,
    },
    /// Writing to standard output failed.
    #[error("standard output")]
    Output(#[source] io::Error),
    /// Any other failure, as a whole message.
    #[error("{0}")]
    Refused(String),
}

impl Failure {
    /// An I/O error on `path`.
    pub fn of_file(path: &Path, source: io::Error) -> Self {
        Self::Io { what: path.display().to_string(), source }
    }

    /// Puts the address of the database before an error that the database caused.
    pub fn of_database(url: &impl std::fmt::Display, error: Error) -> Self {
        match error {
            // Some causes already name the database.
            Error::Unavailable { cause, .. } if cause.to_string().contains(&url.to_string()) => {
                Self::Unavailable(cause.into())
            }
            Error::Unavailable { cause, .. } => Self::Database { url: url.to_string(), cause },
            other => Self::Domain(other),
        }
    }

    /// Prints the failure and returns the exit status. A reader that closed the pipe early (`| head`) is not a failure.
    pub fn report(&self) -> ExitCode {
        if matches!(self, Self::Output(error) if error.kind() == io::ErrorKind::BrokenPipe) {
            return ExitCode::SUCCESS;
        }
        eprintln!("error: {}", Chain(self));
        ExitCode::FAILURE
    }
}
