//! What happened, and how it ended.

use std::fmt;

use crate::error::{Error, Result};
use crate::text;

/// A successful login.
pub const LOGIN_SUCCESS: &str = "login_success";
/// A refused login.
pub const LOGIN_FAIL: &str = "login_fail";
/// The end of a session by its user.
pub const LOGOUT: &str = "logout";
/// A page was shown.
pub const PAGE_LOAD: &str = "page_load";
/// The application asked its identity provider who the user is.
pub const USERINFO: &str = "userinfo";
/// A request of an access log that is not a page load.
pub const REQUEST: &str = "request";

/// A person read events.
pub const EVENTS_READ: &str = "events_read";
/// A person read users' records, memberships or changes of attributes.
pub const USERS_READ: &str = "users_read";
/// A person read what one user did: a timeline, a profile, a behaviour history.
pub const ANALYTICS_READ: &str = "analytics_read";
/// A person changed or removed a tenant, a user or a membership.
pub const DIRECTORY_CHANGE: &str = "directory_change";
/// A person reported a number of active users or a behaviour history.
pub const ANALYTICS_REPORT: &str = "analytics_report";
/// What tells of people's reads. In the system tenant alone; a customer's event may be called so too.
pub const READS: [&str; 3] = [EVENTS_READ, USERS_READ, ANALYTICS_READ];

/// The type of an event: `[a-z][a-z0-9_.]{0,63}`. The well-known ones are in `docs/glossary.md`.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct EventKind(String);

impl EventKind {
    /// Checks the form; `field` names it in the error.
    pub fn parse(field: &str, value: impl Into<String>) -> Result<Self> {
        let value = value.into();
        let mut bytes = value.bytes();
        let first = bytes.next().is_some_and(|b| b.is_ascii_lowercase());
        let rest = bytes.all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'_' || b == b'.');
        if first && rest && value.len() <= 64 {
            return Ok(Self(value));
        }
        Err(Error::invalid(
            field,
            format!(
                "'{}' is not an event type; send 1 to 64 of a-z, 0-9, '_' and '.', beginning with a letter, for example login_success or page_load",
                text::shown(&value)
            ),
        ))
    }

    /// A type that comes from the database, or one of this module's constants.
    pub fn known(value: impl Into<String>) -> Self {
        Self(value.into())
    }

    /// The type's name.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// The outcome of an event that names none: what the type says, else unknown.
    pub fn default_outcome(&self) -> Outcome {
        match self.as_str() {
            LOGIN_FAIL => Outcome::Failure,
            LOGIN_SUCCESS => Outcome::Success,
            _ => Outcome::Unknown,
        }
    }

    /// Whether an event of this type with this outcome failed: a login by its type, whatever outcome
    /// its sender gave it, everything else by its outcome.
    pub fn failed(&self, outcome: Outcome) -> bool {
        match self.as_str() {
            LOGIN_FAIL => true,
            LOGIN_SUCCESS => false,
            _ => outcome == Outcome::Failure,
        }
    }
}

impl fmt::Display for EventKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// How it ended. A user is active in a period when at least one of their events in it did not fail.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Outcome {
    /// It was done.
    Success,
    /// It was refused or went wrong.
    Failure,
    /// The sender did not say.
    Unknown,
}

impl Outcome {
    /// All of them.
    pub const ALL: [Self; 3] = [Self::Success, Self::Failure, Self::Unknown];

    /// The name on the wire and in the database.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Success => "success",
            Self::Failure => "failure",
            Self::Unknown => "unknown",
        }
    }

    /// Reads the name; `field` names it in the error.
    pub fn parse(field: &str, value: &str) -> Result<Self> {
        Self::ALL.into_iter().find(|outcome| outcome.as_str() == value).ok_or_else(|| {
            Error::invalid(
                field,
                format!("'{}' is not an outcome; send success, failure or unknown", text::shown(value)),
            )
        })
    }
}
