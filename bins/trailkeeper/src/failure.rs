//! What a command may fail with, and how it is told: one line on stderr, and an exit code.

use std::io;
use std::path::Path;
use std::process::ExitCode;

use trailkeeper_domain::Error;
use trailkeeper_domain::error::{Cause, Chain};

/// Why a command was not done.
#[derive(Debug, thiserror::Error)]
pub enum Failure {
    /// A use case refused or failed.
    #[error(transparent)]
    Domain(#[from] Error),
    /// A use case failed on this database. Its address is shown without the password.
    #[error("{url}")]
    Database {
        /// Where.
        url: String,
        /// Why.
        #[source]
        cause: Cause,
    },
    /// A file or stream failed.
    #[error("{what}")]
    Io {
        /// Which, and what was tried.
        what: String,
        /// What the system said.
        source: io::Error,
    },
    /// Standard output is gone.
    #[error("standard output")]
    Output(#[source] io::Error),
    /// Anything else: the whole sentence.
    #[error("{0}")]
    Refused(String),
}

impl Failure {
    /// An I/O error on `path`.
    pub fn of_file(path: &Path, source: io::Error) -> Self {
        Self::Io { what: path.display().to_string(), source }
    }

    /// Puts the database's address before an error that the database caused.
    pub fn of_database(url: &impl std::fmt::Display, error: Error) -> Self {
        match error {
            // Some causes name it themselves.
            Error::Unavailable { cause } if cause.to_string().contains(&url.to_string()) => {
                Self::Refused(cause.to_string())
            }
            Error::Unavailable { cause } => Self::Database { url: url.to_string(), cause },
            other => Self::Domain(other),
        }
    }

    /// Tells it and gives the exit code. A reader that closed the pipe early (`| head`) is no failure.
    pub fn report(&self) -> ExitCode {
        if matches!(self, Self::Output(error) if error.kind() == io::ErrorKind::BrokenPipe) {
            return ExitCode::SUCCESS;
        }
        eprintln!("error: {}", Chain(self));
        ExitCode::FAILURE
    }
}
