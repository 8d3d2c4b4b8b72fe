//! What a command may fail with, and how it is told: one line on stderr, and an exit code.

use std::io;
use std::path::Path;
use std::process::ExitCode;

use trailkeeper_domain::Error;

/// Why a command was not done.
#[derive(Debug, thiserror::Error)]
pub enum Failure {
    /// A use case refused or failed.
    #[error(transparent)]
    Domain(#[from] Error),
    /// A use case failed on this database. Its address is shown without the password.
    #[error("{url}: {cause}")]
    Database {
        /// Where.
        url: String,
        /// Why.
        cause: String,
    },
    /// A file or stream failed.
    #[error("{what}: {source}")]
    Io {
        /// Which, and what was tried.
        what: String,
        /// What the system said.
        source: io::Error,
    },
    /// Standard output is gone.
    #[error("standard output: {0}")]
    Output(io::Error),
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
            Error::Unavailable { cause } if cause.contains(&url.to_string()) => Self::Refused(cause),
            Error::Unavailable { cause } => Self::Database { url: url.to_string(), cause },
            other => Self::Domain(other),
        }
    }

    /// Tells it and gives the exit code. A reader that closed the pipe early (`| head`) is no failure.
    pub fn report(&self) -> ExitCode {
        if matches!(self, Self::Output(error) if error.kind() == io::ErrorKind::BrokenPipe) {
            return ExitCode::SUCCESS;
        }
        eprintln!("error: {self}");
        ExitCode::FAILURE
    }
}
