//! Types and outcomes of events.

use std::fmt;

use crate::error::{Error, Result};
use crate::text;

/// A successful login.
pub const LOGIN_SUCCESS: &str = "login_success";
/// A rejected login.
pub const LOGIN_FAIL: &str = "login_fail";
/// The end of a session by its user.
pub const LOGOUT: &str = "logout";
/// A page was shown.
pub const PAGE_LOAD: &str = "page_load";
/// The application asked its identity provider for the user's data.
pub const USERINFO: &str = "userinfo";
/// A request of an access log that is not a page load.
pub const REQUEST: &str = "request";

/// A person read events.
pub const EVENTS_READ: &str = "events_read";
/// A person read users' records, memberships or changes of attributes.
pub const USERS_READ: &str = "users_read";
/// A person read the activity of one user: a timeline, a profile or a behaviour history.
pub const ANALYTICS_READ: &str = "analytics_read";
/// A person changed or removed a tenant, a user or a membership.
pub const DIRECTORY_CHANGE: &str = "directory_change";
/// A person reported a number of active users or a behaviour history.
pub const ANALYTICS_REPORT: &str = "analytics_report";
/// The types of the audit events of people's reads. They have this meaning only in the system tenant: an event of a
/// customer may have the same type.
pub const READS: [&str; 3] = [EVENTS_READ, USERS_READ, ANALYTICS_READ];

/// The type of an event: `[a-z][a-z0-9_.]{0,63}`. `docs/glossary.md` lists the types with a meaning of their own.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct EventKind(String);

impl EventKind {
    /// Parses a type. [`Error::Invalid`] for `field` if the form is wrong.
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

    /// A type from the database, or one of the constants of this module. The form is not checked.
    pub fn known(value: impl Into<String>) -> Self {
        Self(value.into())
    }

    /// The name of the type.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// The outcome of an event that was sent without one: the outcome of a login by its type, else unknown.
    pub fn default_outcome(&self) -> Outcome {
        match self.as_str() {
            LOGIN_FAIL => Outcome::Failure,
            LOGIN_SUCCESS => Outcome::Success,
            _ => Outcome::Unknown,
        }
    }

    /// Whether an event of this type with this outcome failed. For a login the type decides, even if the sender sent
    /// another outcome. For any other event the outcome decides.
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

/// The outcome of an event. A user is active in a period if at least one of their events in it did not fail.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Outcome {
    /// The action succeeded.
    Success,
    /// The action was rejected or failed.
    Failure,
    /// The sender sent no outcome.
    Unknown,
}

impl Outcome {
    /// All outcomes.
    pub const ALL: [Self; 3] = [Self::Success, Self::Failure, Self::Unknown];

    /// The name in requests, responses and the database.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Success => "success",
            Self::Failure => "failure",
            Self::Unknown => "unknown",
        }
    }

    /// Parses a name. [`Error::Invalid`] for `field` if no outcome has this name.
    pub fn parse(field: &str, value: &str) -> Result<Self> {
        Self::ALL.into_iter().find(|outcome| outcome.as_str() == value).ok_or_else(|| {
            Error::invalid(
                field,
                format!("'{}' is not an outcome; send success, failure or unknown", text::shown(value)),
            )
        })
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::testing::code_and_field;

    #[test]
    fn a_type_has_up_to_64_lower_case_letters_digits_dots_and_underscores() {
        for good in ["a", "page_load", "custom.sale.v2", "a1", "a_", "a.", &"z".repeat(64)] {
            assert_eq!(EventKind::parse("type", good).unwrap().as_str(), good);
        }
        for bad in ["", "A", "pageLoad", "1a", "_a", ".a", "a-b", "a b", "a\n", "ä", "aä", &"z".repeat(65)] {
            let error = EventKind::parse("type", bad).unwrap_err();
            assert_eq!(code_and_field(&error), ("invalid_parameter", Some("type")), "{bad:?}");
            assert!(error.to_string().contains("for example login_success"), "the way out: {error}");
        }
    }

    proptest! {
        #[test]
        fn a_type_is_accepted_if_and_only_if_the_documented_pattern_matches(text in "[a-zA-Z0-9_. -]{0,4}") {
            let matches = text.starts_with(|c: char| c.is_ascii_lowercase())
                && text.chars().all(|c| matches!(c, 'a'..='z' | '0'..='9' | '_' | '.'));
            prop_assert_eq!(EventKind::parse("type", text.as_str()).is_ok(), matches);
        }
    }

    #[test]
    fn constants_are_types_that_parse() {
        let own = [LOGIN_SUCCESS, LOGIN_FAIL, LOGOUT, PAGE_LOAD, USERINFO, REQUEST, DIRECTORY_CHANGE, ANALYTICS_REPORT];
        for name in own.into_iter().chain(READS) {
            assert_eq!(EventKind::parse("type", name).unwrap(), EventKind::known(name));
            assert_eq!(EventKind::known(name).to_string(), name);
        }
    }

    #[test]
    fn a_login_without_an_outcome_gets_that_of_its_type_and_others_an_unknown_one() {
        for (name, outcome) in [
            (LOGIN_SUCCESS, Outcome::Success),
            (LOGIN_FAIL, Outcome::Failure),
            (LOGOUT, Outcome::Unknown),
            (PAGE_LOAD, Outcome::Unknown),
            ("login_fail.v2", Outcome::Unknown),
        ] {
            assert_eq!(EventKind::known(name).default_outcome(), outcome, "{name}");
        }
    }

    #[test]
    fn a_login_fails_by_its_type_and_other_events_by_their_outcome() {
        for (name, failed) in [
            (LOGIN_SUCCESS, [false; 3]),
            (LOGIN_FAIL, [true; 3]),
            (PAGE_LOAD, [false, true, false]),
            ("x", [false, true, false]),
        ] {
            let [success, failure, unknown] = failed;
            let kind = EventKind::known(name);
            assert_eq!(kind.failed(Outcome::Success), success, "{name}");
            assert_eq!(kind.failed(Outcome::Failure), failure, "{name}");
            assert_eq!(kind.failed(Outcome::Unknown), unknown, "{name}");
        }
    }

    #[test]
    fn outcome_names_lead_back_and_others_are_rejected() {
        assert_eq!(Outcome::ALL.map(Outcome::as_str), ["success", "failure", "unknown"]);
        for outcome in Outcome::ALL {
            assert_eq!(Outcome::parse("outcome", outcome.as_str()).unwrap(), outcome);
        }
        for bad in ["", "Success", "ok", "success "] {
            let error = Outcome::parse("outcome", bad).unwrap_err().to_string();
            assert_eq!(error, format!("outcome: '{bad}' is not an outcome; send success, failure or unknown"));
        }
    }
}
