//! The cause of an error, for the log, and messages that explain it.

use std::error::Error as StdError;
use std::fmt;
use std::ops::Deref;
use std::sync::Arc;

/// Any error or message. The constructors of [`crate::Error`] take it as the cause.
pub type BoxedError = Box<dyn StdError + Send + Sync>;

/// The error behind an [`Error::Overloaded`], [`Error::Unavailable`] or [`Error::Internal`], for the log only.
///
/// The error is shared, because errors are cloned: one failed commit answers every request of its group. `Display`
/// writes the error with all its sources in one line.
///
/// [`Error::Overloaded`]: crate::Error::Overloaded
/// [`Error::Unavailable`]: crate::Error::Unavailable
/// [`Error::Internal`]: crate::Error::Internal
#[derive(Clone)]
pub struct Cause(Arc<dyn StdError + Send + Sync>);

impl Cause {
    /// Makes a cause from an error or a message.
    pub fn new(error: impl Into<BoxedError>) -> Self {
        Self(Arc::from(error.into()))
    }
}

/// Dereferences to the error itself, so that `source()` returns it with its own type.
impl Deref for Cause {
    type Target = dyn StdError + Send + Sync;

    fn deref(&self) -> &Self::Target {
        self.0.as_ref()
    }
}

impl fmt::Debug for Cause {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

impl fmt::Display for Cause {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        Chain(self.0.as_ref()).fmt(f)
    }
}

impl From<Cause> for BoxedError {
    fn from(cause: Cause) -> Self {
        Box::new(Shared(cause.0))
    }
}

/// Owns a shared error, for places that need an owned error.
struct Shared(Arc<dyn StdError + Send + Sync>);

impl fmt::Debug for Shared {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

impl fmt::Display for Shared {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(&self.0, f)
    }
}

impl StdError for Shared {
    fn source(&self) -> Option<&(dyn StdError + 'static)> {
        self.0.source()
    }
}

/// A message in front of the error that it explains: which row, file or step failed.
#[derive(Debug)]
pub struct Context {
    message: String,
    source: BoxedError,
}

impl Context {
    /// Puts `message` in front of `source`. The message must not end with a colon, because [`Chain`] adds it.
    pub fn new(message: impl Into<String>, source: impl Into<BoxedError>) -> Self {
        Self { message: message.into(), source: source.into() }
    }
}

impl fmt::Display for Context {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.message)
    }
}

impl StdError for Context {
    fn source(&self) -> Option<&(dyn StdError + 'static)> {
        Some(self.source.as_ref())
    }
}

/// Displays an error with all its sources in one line: `disk: sync failed: no space left`.
#[derive(Clone, Copy)]
pub struct Chain<'a>(pub &'a (dyn StdError + 'static));

impl fmt::Display for Chain<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self.0, f)?;
        let mut next = self.0.source();
        while let Some(error) = next {
            write!(f, ": {error}")?;
            next = error.source();
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use std::io;

    use super::*;
    use crate::Error;

    fn full_disk() -> io::Error {
        io::Error::new(io::ErrorKind::StorageFull, "no space left")
    }

    #[test]
    fn the_source_of_an_error_is_the_error_that_caused_it() {
        let error = Error::unavailable(full_disk());
        let source = error.source().and_then(|source| source.downcast_ref::<io::Error>());
        assert_eq!(source.map(io::Error::kind), Some(io::ErrorKind::StorageFull));
        assert_eq!(error.to_string(), "the database cannot serve right now");
        assert_eq!(error.chain().to_string(), "the database cannot serve right now: no space left");
    }

    #[test]
    fn a_clone_shares_the_cause() {
        let error = Error::internal(full_disk());
        let clone = error.clone();
        assert_eq!(clone.chain().to_string(), error.chain().to_string());
        assert!(clone.source().is_some_and(<dyn std::error::Error>::is::<io::Error>));
    }

    #[test]
    fn context_goes_in_front_and_keeps_the_sources_behind() {
        let Error::Internal { cause } = Error::internal(Context::new("sync failed", full_disk())) else {
            panic!("another kind")
        };
        let error = Error::internal(Context::new("data file", cause));
        assert_eq!(error.chain().to_string(), "internal error: data file: sync failed: no space left");
    }

    #[test]
    fn a_message_is_a_cause_too() {
        let error = Error::internal("one bucket has no fold");
        assert_eq!(error.chain().to_string(), "internal error: one bucket has no fold");
        assert!(error.source().is_some_and(|source| source.source().is_none()));
    }

    #[test]
    fn an_error_of_the_client_has_no_source() {
        let error = Error::invalid("limit", "is no number");
        assert!(error.source().is_none());
        assert_eq!(error.chain().to_string(), "limit: is no number");
    }
}
