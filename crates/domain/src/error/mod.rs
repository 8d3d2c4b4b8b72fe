//! One error for every use case, free of HTTP and of databases.
//!
//! Each contract renders it in its own shape; one exhaustive match in `http` turns the kind into
//! a status. What a client may read is in [`ErrorDetail`]; what only the operator may read is the
//! [`Cause`] of [`Error::Overloaded`], [`Error::Unavailable`] and [`Error::Internal`].

mod cause;

use std::fmt;

pub use cause::{BoxedError, Cause, Chain, Context};

/// The result of everything in this crate that can fail.
pub type Result<T, E = Error> = std::result::Result<T, E>;

/// What a client is told: a stable code, the field at fault, and a sentence with the way out.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ErrorDetail {
    /// Stable, `snake_case`, listed in `docs/errors.md`.
    pub code: &'static str,
    /// The field, parameter or header at fault, where there is one.
    pub field: Option<String>,
    /// What is wrong, with which value, and what to do.
    pub detail: String,
}

impl ErrorDetail {
    /// A fault of no particular field.
    pub fn new(code: &'static str, detail: impl Into<String>) -> Self {
        Self { code, field: None, detail: detail.into() }
    }

    /// A fault of one field. `detail` need not repeat the field's name: renderers put it in front.
    pub fn of(field: impl Into<String>, code: &'static str, detail: impl Into<String>) -> Self {
        Self { code, field: Some(field.into()), detail: detail.into() }
    }
}

impl fmt::Display for ErrorDetail {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.field {
            Some(field) => write!(f, "{field}: {}", self.detail),
            None => f.write_str(&self.detail),
        }
    }
}

/// Why a request was not done.
#[derive(Debug, Clone, thiserror::Error)]
pub enum Error {
    /// The input is wrong; sending it again unchanged fails again.
    #[error("{0}")]
    Invalid(ErrorDetail),
    /// More than a limit allows; the limit is named.
    #[error("{0}")]
    TooLarge(ErrorDetail),
    /// There is no such thing, or the caller may not know of it.
    #[error("{0}")]
    NotFound(ErrorDetail),
    /// It contradicts what is stored.
    #[error("{0}")]
    Conflict(ErrorDetail),
    /// No credential, or one that does not hold.
    #[error("{0}")]
    Unauthenticated(ErrorDetail),
    /// A valid credential without the permission.
    #[error("{0}")]
    Forbidden(ErrorDetail),
    /// The sender took longer than a limit allows; the limit is named.
    #[error("{0}")]
    TimedOut(ErrorDetail),
    /// Too many attempts.
    #[error("{fault}")]
    Throttled {
        /// What the client is told.
        fault: ErrorDetail,
        /// Seconds until another attempt makes sense.
        retry_after_s: u32,
    },
    /// The server or its database has more to do than it can. Nothing was stored; the same request works later.
    #[error("{busy}")]
    Overloaded {
        /// What is busy, for the client.
        busy: ErrorDetail,
        /// For the log only.
        #[source]
        cause: Cause,
    },
    /// The database or the disk cannot serve right now. Nothing was stored.
    #[error("the database cannot serve right now")]
    Unavailable {
        /// For the log only.
        #[source]
        cause: Cause,
    },
    /// A defect or corrupt data. The client learns only that it happened.
    #[error("internal error")]
    Internal {
        /// For the log only.
        #[source]
        cause: Cause,
    },
}

impl Error {
    /// A wrong field of the input, code `invalid_parameter`.
    pub fn invalid(field: impl Into<String>, detail: impl Into<String>) -> Self {
        Self::Invalid(ErrorDetail::of(field, "invalid_parameter", detail))
    }

    /// Input that is wrong as a whole, with a code of its own.
    pub fn malformed(code: &'static str, detail: impl Into<String>) -> Self {
        Self::Invalid(ErrorDetail::new(code, detail))
    }

    /// An unknown thing: `what` in `snake_case` gives the code `<what>_not_found`.
    pub fn not_found(code: &'static str, detail: impl Into<String>) -> Self {
        Self::NotFound(ErrorDetail::new(code, detail))
    }

    /// A contradiction to what is stored.
    pub fn conflict(field: impl Into<String>, code: &'static str, detail: impl Into<String>) -> Self {
        Self::Conflict(ErrorDetail::of(field, code, detail))
    }

    /// A missing or bad credential. The text never tells which part of it was wrong.
    pub fn unauthenticated(detail: impl Into<String>) -> Self {
        Self::Unauthenticated(ErrorDetail::new("unauthorized", detail))
    }

    /// A credential without the permission.
    pub fn forbidden(detail: impl Into<String>) -> Self {
        Self::Forbidden(ErrorDetail::new("permission_denied", detail))
    }

    /// Too much to do, code `overloaded`: `busy` says what is busy, without a way out; renderers add it.
    pub fn overloaded(busy: impl Into<String>, cause: impl Into<BoxedError>) -> Self {
        Self::Overloaded { busy: ErrorDetail::new("overloaded", busy), cause: Cause::new(cause) }
    }

    /// The database cannot serve right now.
    pub fn unavailable(cause: impl Into<BoxedError>) -> Self {
        Self::Unavailable { cause: Cause::new(cause) }
    }

    /// A defect or corrupt data.
    pub fn internal(cause: impl Into<BoxedError>) -> Self {
        Self::Internal { cause: Cause::new(cause) }
    }

    /// The error with all its causes in one line, for logs and terminals.
    pub fn chain(&self) -> Chain<'_> {
        Chain(self)
    }

    /// What a client may read of it, if anything.
    pub fn detail(&self) -> Option<&ErrorDetail> {
        match self {
            Self::Invalid(fault)
            | Self::TooLarge(fault)
            | Self::NotFound(fault)
            | Self::Conflict(fault)
            | Self::Unauthenticated(fault)
            | Self::Forbidden(fault)
            | Self::TimedOut(fault)
            | Self::Throttled { fault, .. }
            | Self::Overloaded { busy: fault, .. } => Some(fault),
            Self::Unavailable { .. } | Self::Internal { .. } => None,
        }
    }
}
