//! The types of values that parameters and body fields are parsed into.

use trailkeeper_domain::account::Role;
use trailkeeper_domain::address::AddressRange;
use trailkeeper_domain::event::{EventKind, Outcome};
use trailkeeper_domain::id::{AccountId, CredentialId, EnvId, EventId, SessionId, TenantId, UserId};
use trailkeeper_domain::json::A_TIME;
use trailkeeper_domain::time::{self, Timestamp};
use trailkeeper_domain::{Error, Result, text};

use super::params::ParamValue;

const A_UUID: &str = "a UUID as a text";

/// Implements [`ParamValue`] for each type by a parsing function of the domain.
macro_rules! values {
    ($($type:ty, $expected:expr, $parse:expr;)+) => {
        $(
            impl ParamValue for $type {
                const EXPECTED: &'static str = $expected;

                fn parse(name: &str, value: &str) -> Result<Self> {
                    $parse(name, value)
                }
            }
        )+
    };
}

values! {
    TenantId, A_UUID, TenantId::parse;
    EventId, A_UUID, EventId::parse;
    AccountId, A_UUID, AccountId::parse;
    CredentialId, A_UUID, CredentialId::parse;
    SessionId, A_UUID, SessionId::parse;
    EnvId, "the environment's number", EnvId::parse;
    UserId, "the user's id in quotes", |name, value: &str| UserId::parse(name, value);
    EventKind, "what happened, for example \"page_load\"", EventKind::parse;
    Outcome, "success, failure or unknown", Outcome::parse;
    AddressRange, "an address or a network such as 203.0.113.0/24", AddressRange::parse;
    Timestamp, A_TIME, time::parse_rfc3339;
    Role, "admin, analyst, auditor or ingest", Role::parse;
    String, "a text in quotes", |_, value: &str| Ok(value.to_owned());
    bool, "true or false", flag;
}

fn flag(name: &str, value: &str) -> Result<bool> {
    match value {
        "true" => Ok(true),
        "false" => Ok(false),
        other => {
            Err(Error::invalid(name, format!("'{}' is not a truth value; send true or false", text::shown(other))))
        }
    }
}

/// A number of rows from 1 to `MAX`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Limit<const MAX: usize>(pub usize);

impl<const MAX: usize> ParamValue for Limit<MAX> {
    const EXPECTED: &'static str = "a whole number";

    fn parse(name: &str, value: &str) -> Result<Self> {
        let plain = !value.is_empty() && value.bytes().all(|byte| byte.is_ascii_digit());
        match value.parse() {
            Ok(number) if plain && (1..=MAX).contains(&number) => Ok(Self(number)),
            _ => Err(Error::invalid(
                name,
                format!("'{}' is not allowed; send a whole number from 1 to {MAX}", text::shown(value)),
            )),
        }
    }
}
