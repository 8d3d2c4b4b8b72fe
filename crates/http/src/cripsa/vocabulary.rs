//! The names that this contract uses for types and outcomes of events.

use trailkeeper_domain::event::{Event, EventKind, LOGIN_FAIL, LOGIN_SUCCESS};
use trailkeeper_domain::{Error, Result, text};

/// The type of an event, in Cognito's words.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum AuthEventType {
    /// A login.
    SignIn,
    /// A registration.
    SignUp,
    /// A request for a new password.
    ForgotPassword,
    /// A new password.
    PasswordChange,
    /// A request for another confirmation code.
    ResendCode,
}

impl AuthEventType {
    /// All types.
    pub const ALL: [Self; 5] =
        [Self::SignIn, Self::SignUp, Self::ForgotPassword, Self::PasswordChange, Self::ResendCode];

    /// The name in requests and responses.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::SignIn => "SignIn",
            Self::SignUp => "SignUp",
            Self::ForgotPassword => "ForgotPassword",
            Self::PasswordChange => "PasswordChange",
            Self::ResendCode => "ResendCode",
        }
    }

    /// Parses the name. [`Error::Invalid`] names the parameter `field`.
    pub fn parse(field: &str, value: &str) -> Result<Self> {
        Self::ALL.into_iter().find(|kind| kind.as_str() == value).ok_or_else(|| {
            let names = Self::ALL.map(Self::as_str).join(", ");
            Error::invalid(field, format!("'{}' is not a login event; send one of {names}", text::shown(value)))
        })
    }

    /// The stored event types that this contract shows as this type.
    pub fn kinds(self) -> &'static [&'static str] {
        match self {
            Self::SignIn => &[LOGIN_SUCCESS, LOGIN_FAIL],
            Self::SignUp => &["sign_up"],
            Self::ForgotPassword => &["forgot_password"],
            Self::PasswordChange => &["password_change"],
            Self::ResendCode => &["resend_code"],
        }
    }

    /// The type as which this contract shows a stored event type; `None` if the contract does not know it.
    pub fn of(kind: &EventKind) -> Option<Self> {
        Self::ALL.into_iter().find(|shown| shown.kinds().contains(&kind.as_str()))
    }
}

/// The stored event types of `wanted`, or those of all types.
pub fn kinds_of(wanted: Option<AuthEventType>) -> Vec<EventKind> {
    let wanted = wanted.map_or_else(|| AuthEventType::ALL.to_vec(), |one| vec![one]);
    wanted.into_iter().flat_map(AuthEventType::kinds).map(|kind| EventKind::known(*kind)).collect()
}

/// The outcome of an event, in Cognito's words.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum EventResponse {
    /// The action did not fail.
    Pass,
    /// The action failed.
    Fail,
    /// The action has not ended. No event has this outcome, because events are facts.
    InProgress,
}

impl EventResponse {
    /// All outcomes.
    pub const ALL: [Self; 3] = [Self::Pass, Self::Fail, Self::InProgress];

    /// The name in requests and responses.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Pass => "Pass",
            Self::Fail => "Fail",
            Self::InProgress => "InProgress",
        }
    }

    /// Parses the name. [`Error::Invalid`] names the parameter `field`.
    pub fn parse(field: &str, value: &str) -> Result<Self> {
        Self::ALL.into_iter().find(|response| response.as_str() == value).ok_or_else(|| {
            Error::invalid(
                field,
                format!("'{}' is not an event response; send Pass, Fail or InProgress", text::shown(value)),
            )
        })
    }

    /// The outcome of `event`.
    pub fn of(event: &Event) -> Self {
        if event.kind.failed(event.outcome) { Self::Fail } else { Self::Pass }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_name_is_read_back_and_every_type_is_shown_as_itself() {
        for kind in AuthEventType::ALL {
            assert_eq!(AuthEventType::parse("login_event", kind.as_str()).unwrap(), kind);
            for stored in kinds_of(Some(kind)) {
                assert_eq!(AuthEventType::of(&stored), Some(kind));
            }
        }
        for response in EventResponse::ALL {
            assert_eq!(EventResponse::parse("event_response", response.as_str()).unwrap(), response);
        }
        assert_eq!(kinds_of(None).len(), 6);
        assert_eq!(AuthEventType::of(&EventKind::known("page_load")), None);
    }
}
