//! The types of values that parameters and body fields are parsed into.

use trailkeeper_domain::account::Role;
use trailkeeper_domain::address::AddressRange;
use trailkeeper_domain::event::{EventKind, Outcome};
use trailkeeper_domain::id::{
    AccountId, CredentialId, EnvId, EventId, LegalHoldId, RetentionRuleId, SessionId, StreamId, TenantId, UserId,
};
use trailkeeper_domain::json::A_TIME;
use trailkeeper_domain::time::{self, Timestamp};
use trailkeeper_domain::user::PoolId;
use trailkeeper_domain::{Error, Result};
use trailkeeper_parsers::query;

use super::params::ParamValue;

const A_UUID: &str = "a UUID as a text";

/// Implements [`ParamValue`] for each type by a parsing function.
macro_rules! param_values {
    ($($type:ty, $expected:expr, $parse:expr;)+) => {
        $(
            impl $crate::operation::ParamValue for $type {
                const EXPECTED: &'static str = $expected;

                fn parse(name: &str, value: &str) -> ::trailkeeper_domain::Result<Self> {
                    $parse(name, value)
                }
            }
        )+
    };
}
pub(crate) use param_values;

param_values! {
    TenantId, A_UUID, TenantId::parse;
    EventId, A_UUID, EventId::parse;
    AccountId, A_UUID, AccountId::parse;
    CredentialId, A_UUID, CredentialId::parse;
    SessionId, A_UUID, SessionId::parse;
    RetentionRuleId, A_UUID, RetentionRuleId::parse;
    LegalHoldId, A_UUID, LegalHoldId::parse;
    StreamId, A_UUID, StreamId::parse;
    EnvId, "the environment's number", EnvId::parse;
    PoolId, "a pool such as \"eu-west-1_aBcD12345\"", |name, value: &str| PoolId::parse(name, value);
    UserId, "the user's id in quotes", |name, value: &str| UserId::parse(name, value);
    EventKind, "what happened, for example \"page_load\"", EventKind::parse;
    Outcome, "success, failure or unknown", Outcome::parse;
    AddressRange, "an address or a network such as 203.0.113.0/24", AddressRange::parse;
    Timestamp, A_TIME, time::parse_rfc3339;
    Role, "admin, analyst, auditor or ingest", Role::parse;
    String, "a text in quotes", |_, value: &str| Ok(value.to_owned());
    bool, "true or false", query::truth_value;
}

/// A number of rows from 1 to `MAX`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Limit<const MAX: usize>(pub usize);

impl<const MAX: usize> ParamValue for Limit<MAX> {
    const EXPECTED: &'static str = "a whole number";

    fn parse(name: &str, value: &str) -> Result<Self> {
        let number = query::whole_number(name, value, 1, i64::try_from(MAX).map_err(Error::internal)?)?;
        usize::try_from(number).map(Self).map_err(Error::internal)
    }
}
