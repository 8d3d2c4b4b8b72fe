//! Typed identifiers: a user's id cannot stand where a tenant's belongs.

use std::fmt;
use std::str::FromStr;

use uuid::Uuid;

use crate::error::{Error, Result};
use crate::text;

macro_rules! uuid_id {
    ($(#[$doc:meta])* $name:ident) => {
        $(#[$doc])*
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub struct $name(pub Uuid);

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                self.0.fmt(f)
            }
        }

        impl $name {
            /// Reads a UUID in its hyphenated form of 36 characters; `field` names it in the error.
            pub fn parse(field: &str, value: &str) -> Result<Self> {
                parse_uuid(field, value).map(Self)
            }
        }
    };
}

uuid_id!(
    /// A customer of the SaaS vendor. All zero means "no tenant", all ones is the system tenant.
    TenantId
);
uuid_id!(
    /// One event. Unique inside its tenant, not across tenants: senders choose it.
    EventId
);
uuid_id!(
    /// Someone who may log in to Trailkeeper itself.
    AccountId
);
uuid_id!(
    /// A family of refresh tokens that began with one login.
    SessionId
);
uuid_id!(
    /// An API token or a signing key, as administrators see it.
    CredentialId
);
uuid_id!(
    /// One counted creation of a tenant, user or membership.
    CreationId
);

impl TenantId {
    /// Events and calls outside any tenant.
    pub const NONE: Self = Self(Uuid::nil());
    /// Trailkeeper's own trail. Listed like any tenant, counted in no analytic answer.
    pub const SYSTEM: Self = Self(Uuid::max());
}

/// Reads a UUID, case-insensitively, in the hyphenated form alone, so that one tenant has one spelling.
pub fn parse_uuid(field: &str, value: &str) -> Result<Uuid> {
    if value.len() == 36
        && value.is_ascii()
        && let Ok(id) = Uuid::from_str(value)
    {
        return Ok(id);
    }
    Err(Error::invalid(
        field,
        format!("'{}' is not a UUID; send the form 69e732d6-8ecc-45c4-a2eb-8438f7ffe775", text::shown(value)),
    ))
}

/// The subject of events: an opaque text of 1 to 128 characters, given by the sender.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct UserId(String);

impl UserId {
    /// The longest id, in characters.
    pub const MAX: usize = 128;

    /// Checks length and characters; `field` names it in the error.
    pub fn parse(field: &str, value: impl Into<String>) -> Result<Self> {
        let value = value.into();
        text::checked(field, &value, Self::MAX)?;
        Ok(Self(value))
    }

    /// An id that comes from the database, where it was checked on its way in.
    pub fn stored(value: String) -> Self {
        Self(value)
    }

    /// The id as it was sent.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for UserId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// A stage of a tenant (production, staging, …), 0 to 2³²−1.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct EnvId(pub u32);

impl Default for EnvId {
    /// SaaSus numbers environments from 1.
    fn default() -> Self {
        Self(1)
    }
}

impl EnvId {
    /// Reads the decimal form; `field` names it in the error.
    pub fn parse(field: &str, value: &str) -> Result<Self> {
        if value.bytes().all(|b| b.is_ascii_digit())
            && let Ok(number) = value.parse()
        {
            return Ok(Self(number));
        }
        Err(Error::invalid(
            field,
            format!("'{}' is not an environment; send a whole number from 0 to 4294967295", text::shown(value)),
        ))
    }
}

impl fmt::Display for EnvId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}
