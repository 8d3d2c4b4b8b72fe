//! The error type of all use cases. It does not depend on HTTP or databases.
//!
//! The crate `http` maps each kind to a status in one exhaustive match, and renders it in the error format of each
//! contract. Clients may read the [`ErrorDetail`]. The [`Cause`] of [`Error::Overloaded`], [`Error::Unavailable`] and
//! [`Error::Internal`] is for operators only.

mod cause;

use std::fmt;

pub use cause::{BoxedError, Cause, Chain, Context};

/// The result type of this crate.
pub type Result<T, E = Error> = std::result::Result<T, E>;

/// The public part of an error: a stable code, the wrong field, and a sentence with the correction.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ErrorDetail {
    /// A stable code in `snake_case`, listed in `docs/errors.md`.
    pub code: &'static str,
    /// The wrong field, parameter or header, if the error concerns one.
    pub field: Option<String>,
    /// A sentence that describes the problem, the wrong value and the correction.
    pub detail: String,
}

impl ErrorDetail {
    /// A detail that concerns no particular field.
    pub fn new(code: &'static str, detail: impl Into<String>) -> Self {
        Self { code, field: None, detail: detail.into() }
    }

    /// A detail that concerns one field. `detail` need not repeat the field's name: renderers put it in front.
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

/// The reason why a request failed.
#[derive(Debug, Clone, thiserror::Error)]
pub enum Error {
    /// The input is wrong. The same input fails again.
    #[error("{0}")]
    Invalid(ErrorDetail),
    /// The input exceeds a limit, which the detail names.
    #[error("{0}")]
    TooLarge(ErrorDetail),
    /// The requested thing does not exist, or the caller may not know that it exists.
    #[error("{0}")]
    NotFound(ErrorDetail),
    /// The request contradicts stored data.
    #[error("{0}")]
    Conflict(ErrorDetail),
    /// The requested thing existed, and never will again.
    #[error("{0}")]
    Gone(ErrorDetail),
    /// The credential is missing or not valid.
    #[error("{0}")]
    Unauthenticated(ErrorDetail),
    /// The credential is valid, but does not have the permission.
    #[error("{0}")]
    Forbidden(ErrorDetail),
    /// The sender exceeded a time limit, which the detail names.
    #[error("{0}")]
    TimedOut(ErrorDetail),
    /// Too many requests or attempts.
    #[error("{detail}")]
    Throttled {
        /// The exceeded limit, for the client.
        detail: ErrorDetail,
        /// Seconds until another attempt can succeed.
        retry_after_s: u32,
    },
    /// The server or its database is too busy. Nothing was stored; the same request may succeed later.
    #[error("{busy}")]
    Overloaded {
        /// The busy resource, for the client.
        busy: ErrorDetail,
        /// The cause, for the log only.
        #[source]
        cause: Cause,
    },
    /// The server is stopping and takes no more events. Nothing was stored; the server that follows may take the request.
    #[error("{0}")]
    Stopping(ErrorDetail),
    /// The database or the disk cannot serve now. Nothing was stored, unless `maybe_stored` says that this is unknown.
    #[error("the database cannot serve right now")]
    Unavailable {
        /// Whether the commit began, and its answer did not come: the request may be stored. Or the request needs several
        /// commits, and this is the failure of one of them: a portion of the request may be stored.
        maybe_stored: bool,
        /// The cause, for the log only.
        #[source]
        cause: Cause,
    },
    /// A defect or corrupt data. The client gets no details.
    #[error("internal error")]
    Internal {
        /// The cause, for the log only.
        #[source]
        cause: Cause,
    },
}

impl Error {
    /// A wrong field of the input, with the code `invalid_parameter`.
    pub fn invalid(field: impl Into<String>, detail: impl Into<String>) -> Self {
        Self::Invalid(ErrorDetail::of(field, "invalid_parameter", detail))
    }

    /// Input that is wrong as a whole, with its own code.
    pub fn malformed(code: &'static str, detail: impl Into<String>) -> Self {
        Self::Invalid(ErrorDetail::new(code, detail))
    }

    /// A thing that does not exist. Codes have the form `<thing>_not_found`.
    pub fn not_found(code: &'static str, detail: impl Into<String>) -> Self {
        Self::NotFound(ErrorDetail::new(code, detail))
    }

    /// A contradiction to stored data, with its own code.
    pub fn conflict(field: impl Into<String>, code: &'static str, detail: impl Into<String>) -> Self {
        Self::Conflict(ErrorDetail::of(field, code, detail))
    }

    /// A missing or invalid credential, with the code `unauthorized`. The text must not say which part is wrong.
    pub fn unauthenticated(detail: impl Into<String>) -> Self {
        Self::Unauthenticated(ErrorDetail::new("unauthorized", detail))
    }

    /// A credential without the permission, with the code `permission_denied`.
    pub fn forbidden(detail: impl Into<String>) -> Self {
        Self::Forbidden(ErrorDetail::new("permission_denied", detail))
    }

    /// Overload, with the code `overloaded`. `busy` names the busy resource; renderers add the time after which the
    /// client may try again.
    pub fn overloaded(busy: impl Into<String>, cause: impl Into<BoxedError>) -> Self {
        Self::Overloaded { busy: ErrorDetail::new("overloaded", busy), cause: Cause::new(cause) }
    }

    /// The server is stopping, with the code `stopping`. Renderers add the time after which the client may try again.
    pub fn stopping() -> Self {
        Self::Stopping(ErrorDetail::new("stopping", "the server is stopping; nothing of this request was stored"))
    }

    /// The database cannot serve now.
    pub fn unavailable(cause: impl Into<BoxedError>) -> Self {
        Self::Unavailable { maybe_stored: false, cause: Cause::new(cause) }
    }

    /// The answer to a commit did not come, so it is unknown whether the request was stored.
    pub fn unanswered_commit(cause: impl Into<BoxedError>) -> Self {
        Self::Unavailable { maybe_stored: true, cause: Cause::new(cause) }
    }

    /// A defect or corrupt data.
    pub fn internal(cause: impl Into<BoxedError>) -> Self {
        Self::Internal { cause: Cause::new(cause) }
    }

    /// Whether the failed request may be stored nevertheless.
    pub fn is_maybe_stored(&self) -> bool {
        matches!(self, Self::Unavailable { maybe_stored: true, .. })
    }

    /// The same error of a request of which another portion is stored, or may be: it does not say that nothing was stored.
    #[must_use]
    pub fn of_partly_stored(self) -> Self {
        match self {
            Self::Overloaded { cause, .. } | Self::Unavailable { cause, .. } => {
                Self::Unavailable { maybe_stored: true, cause }
            }
            other => other,
        }
    }

    /// The error with all its causes in one line, for logs and terminals.
    pub fn chain(&self) -> Chain<'_> {
        Chain(self)
    }

    /// The public part; `None` for kinds whose causes are for operators only.
    pub fn detail(&self) -> Option<&ErrorDetail> {
        match self {
            Self::Invalid(detail)
            | Self::TooLarge(detail)
            | Self::NotFound(detail)
            | Self::Conflict(detail)
            | Self::Gone(detail)
            | Self::Unauthenticated(detail)
            | Self::Forbidden(detail)
            | Self::TimedOut(detail)
            | Self::Stopping(detail)
            | Self::Throttled { detail, .. }
            | Self::Overloaded { busy: detail, .. } => Some(detail),
            Self::Unavailable { .. } | Self::Internal { .. } => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_detail_names_its_field_in_front() {
        assert_eq!(ErrorDetail::of("limit", "invalid_parameter", "is missing").to_string(), "limit: is missing");
        assert_eq!(ErrorDetail::new("malformed_json", "this is no JSON").to_string(), "this is no JSON");
    }

    #[test]
    fn constructors_choose_kind_and_code() {
        let code = |error: &Error| error.detail().map(|detail| detail.code);
        for (error, expected) in [
            (Error::invalid("limit", "x"), "invalid_parameter"),
            (Error::malformed("malformed_json", "x"), "malformed_json"),
            (Error::not_found("user_not_found", "x"), "user_not_found"),
            (Error::conflict("email", "email_taken", "x"), "email_taken"),
            (Error::unauthenticated("x"), "unauthorized"),
            (Error::forbidden("x"), "permission_denied"),
            (Error::overloaded("x", "y"), "overloaded"),
            (Error::stopping(), "stopping"),
        ] {
            assert_eq!(code(&error), Some(expected), "{error:?}");
        }
    }

    #[test]
    fn the_error_of_a_partly_stored_request_does_not_say_that_nothing_was_stored() {
        for error in
            [Error::overloaded("busy; nothing was stored", "all connections are lent"), Error::unavailable("gone")]
        {
            let cause = error.chain().to_string().rsplit(": ").next().unwrap_or_default().to_owned();
            assert!(!error.is_maybe_stored());
            let error = error.of_partly_stored();
            assert!(error.is_maybe_stored(), "{error:?}");
            assert_eq!(error.chain().to_string(), format!("the database cannot serve right now: {cause}"));
        }
        assert!(Error::unanswered_commit("lost").of_partly_stored().is_maybe_stored());
        assert!(matches!(Error::internal("a defect").of_partly_stored(), Error::Internal { .. }));
    }

    #[test]
    fn causes_are_no_public_text() {
        for error in [Error::unavailable("secret"), Error::internal("secret")] {
            assert_eq!(error.detail(), None);
            assert!(!error.to_string().contains("secret"));
        }
        let overloaded = Error::overloaded("the queue is full", "secret");
        assert_eq!(overloaded.to_string(), "the queue is full");
        assert_eq!(overloaded.chain().to_string(), "the queue is full: secret");
    }
}
