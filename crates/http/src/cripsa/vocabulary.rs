//! The words of this contract for the types of events, and for how they ended.

use trailkeeper_domain::event::{Event, EventKind, LOGIN_FAIL, LOGIN_SUCCESS};
use trailkeeper_domain::{Error, Result, text};

/// What happened, in Cognito's words.
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
    /// All of them.
    pub const ALL: [Self; 5] =
        [Self::SignIn, Self::SignUp, Self::ForgotPassword, Self::PasswordChange, Self::ResendCode];

    /// The name on the wire.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::SignIn => "SignIn",
            Self::SignUp => "SignUp",
            Self::ForgotPassword => "ForgotPassword",
            Self::PasswordChange => "PasswordChange",
            Self::ResendCode => "ResendCode",
        }
    }

    /// Reads the name; `field` names it in the error.
    pub fn parse(field: &str, value: &str) -> Result<Self> {
        Self::ALL.into_iter().find(|kind| kind.as_str() == value).ok_or_else(|| {
            let names = Self::ALL.map(Self::as_str).join(", ");
            Error::invalid(field, format!("'{}' is not a login event; send one of {names}", text::shown(value)))
        })
    }

    /// The stored types that are shown as this one.
    pub fn kinds(self) -> &'static [&'static str] {
        match self {
            Self::SignIn => &[LOGIN_SUCCESS, LOGIN_FAIL],
            Self::SignUp => &["sign_up"],
            Self::ForgotPassword => &["forgot_password"],
            Self::PasswordChange => &["password_change"],
            Self::ResendCode => &["resend_code"],
        }
    }

    /// What a stored type is shown as; `None` for types that this contract does not know.
    pub fn of(kind: &EventKind) -> Option<Self> {
        Self::ALL.into_iter().find(|shown| shown.kinds().contains(&kind.as_str()))
    }
}

/// The stored types of these, or of all.
pub fn kinds_of(wanted: Option<AuthEventType>) -> Vec<EventKind> {
    let wanted = wanted.map_or_else(|| AuthEventType::ALL.to_vec(), |one| vec![one]);
    wanted.into_iter().flat_map(AuthEventType::kinds).map(|kind| EventKind::known(*kind)).collect()
}

/// How it ended, in Cognito's words.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum EventResponse {
    /// It did not fail.
    Pass,
    /// It failed.
    Fail,
    /// It has not ended. Events are facts, so none is.
    InProgress,
}

impl EventResponse {
    /// All of them.
    pub const ALL: [Self; 3] = [Self::Pass, Self::Fail, Self::InProgress];

    /// The name on the wire.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Pass => "Pass",
            Self::Fail => "Fail",
            Self::InProgress => "InProgress",
        }
    }

    /// Reads the name; `field` names it in the error.
    pub fn parse(field: &str, value: &str) -> Result<Self> {
        Self::ALL.into_iter().find(|response| response.as_str() == value).ok_or_else(|| {
            Error::invalid(
                field,
                format!("'{}' is not an event response; send Pass, Fail or InProgress", text::shown(value)),
            )
        })
    }

    /// How `event` ended.
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
