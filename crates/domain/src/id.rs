//! Typed identifiers, so that a user's id cannot be passed in place of a tenant's id.

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
            /// Parses a UUID in its hyphenated form of 36 characters; `field` names it in the error.
            pub fn parse(field: &str, value: &str) -> Result<Self> {
                parse_uuid(field, value).map(Self)
            }
        }
    };
}

uuid_id!(
    /// The id of a tenant: a customer of the SaaS vendor. All zero means "no tenant", all ones is the system tenant.
    TenantId
);
uuid_id!(
    /// The id of an event, chosen by its sender: unique inside its tenant, not across tenants.
    EventId
);
uuid_id!(
    /// The id of an account: an identity with which a person logs in to Trailkeeper itself.
    AccountId
);
uuid_id!(
    /// The id of a session: the family of refresh tokens of one login.
    SessionId
);
uuid_id!(
    /// The id by which administrators refer to an API token or a signing key. It is no credential.
    CredentialId
);
uuid_id!(
    /// The id of one counted creation of a tenant, user or membership.
    CreationId
);
uuid_id!(
    /// The id of a rule of retention.
    RetentionRuleId
);
uuid_id!(
    /// The id of a legal hold.
    LegalHoldId
);
uuid_id!(
    /// The id of a forwarding stream.
    StreamId
);

impl TenantId {
    /// No tenant: the tenant of events outside any tenant.
    pub const NONE: Self = Self(Uuid::nil());
    /// The system tenant, whose events are Trailkeeper's own audit trail. No analytic answer counts it.
    pub const SYSTEM: Self = Self(Uuid::max());

    /// The first of the ids that [`Self::missing`] gives: ffffffff-ffff-ffff-fffe-000000000000.
    const FIRST_MISSING: u128 = 0xffff_ffff_ffff_ffff_fffe_0000_0000_0000;

    /// The id that stands for the tenant of this number, if the database has lost its id.
    pub fn missing(number: u32) -> Self {
        Self(Uuid::from_u128(Self::FIRST_MISSING + u128::from(number)))
    }

    /// The number of a tenant whose id the database has lost.
    pub fn missing_number(self) -> Option<u32> {
        self.0.as_u128().checked_sub(Self::FIRST_MISSING).and_then(|number| u32::try_from(number).ok())
    }
}

/// Parses a UUID in the hyphenated form only, in any case, so that one tenant has one spelling.
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

/// The id of a user, the subject of events: an opaque text of 1 to 128 characters, chosen by the sender.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct UserId(String);

impl UserId {
    /// The maximum length, in characters.
    pub const MAX: usize = 128;

    /// Checks length and characters; `field` names it in the error.
    pub fn parse(field: &str, value: impl Into<String>) -> Result<Self> {
        let value = value.into();
        text::checked(field, &value, Self::MAX)?;
        Ok(Self(value))
    }

    /// An id from the database, which was checked before it was stored.
    pub fn stored(value: String) -> Self {
        Self(value)
    }

    /// The id as the sender wrote it.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for UserId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// The number of an environment, which is a tenant's stage (production, staging, …): 0 to 2³²−1.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct EnvId(pub u32);

impl Default for EnvId {
    /// 1: SaaSus numbers environments from 1.
    fn default() -> Self {
        Self(1)
    }
}

impl EnvId {
    /// Parses the decimal form; `field` names it in the error.
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_uuid_has_one_form() {
        let id = TenantId::parse("tenant_id", "69E732D6-8ECC-45c4-a2eb-8438f7ffe775").unwrap();
        assert_eq!(id.to_string(), "69e732d6-8ecc-45c4-a2eb-8438f7ffe775");
        for bad in [
            "69e732d68ecc45c4a2eb8438f7ffe775",
            "{69e732d6-8ecc-45c4-a2eb-8438f7ffe775}",
            "urn:uuid:69e732d6-8ecc-45c4-a2eb-8438f7ffe775",
            "69e732d6-8ecc-45c4-a2eb-8438f7ffe77",
            "69e732d6-8ecc-45c4-a2eb-8438f7ffe77g",
            " 69e732d6-8ecc-45c4-a2eb-8438f7ffe77",
            "",
        ] {
            let error = TenantId::parse("tenant_id", bad).unwrap_err().to_string();
            assert!(error.starts_with(&format!("tenant_id: '{bad}' is not a UUID")), "{error}");
        }
    }

    #[test]
    fn the_reserved_tenants_are_the_first_and_the_last_uuid() {
        assert_eq!(TenantId::NONE.to_string(), "00000000-0000-0000-0000-000000000000");
        assert_eq!(TenantId::SYSTEM.to_string(), "ffffffff-ffff-ffff-ffff-ffffffffffff");
        assert_eq!(TenantId::missing(17).to_string(), "ffffffff-ffff-ffff-fffe-000000000011");
        for number in [0, 17, u32::MAX] {
            assert_eq!(TenantId::missing(number).missing_number(), Some(number));
        }
        for other in [TenantId::NONE, TenantId::SYSTEM, TenantId(Uuid::from_u128(17))] {
            assert_eq!(other.missing_number(), None);
        }
    }

    #[test]
    fn a_user_id_is_any_printable_text_of_up_to_128_characters() {
        for good in ["u", "jane@example.com", "  ", "ü", &"木".repeat(128)] {
            assert_eq!(UserId::parse("user_id", good).unwrap().as_str(), good);
        }
        for bad in ["", "a\nb", "a\0", &"木".repeat(129)] {
            assert!(UserId::parse("user_id", bad).unwrap_err().to_string().starts_with("user_id: "), "{bad:?}");
        }
    }

    #[test]
    fn an_environment_is_a_whole_number_of_32_bits() {
        assert_eq!(EnvId::default(), EnvId(1));
        for (sent, number) in [("0", 0), ("007", 7), ("4294967295", u32::MAX)] {
            assert_eq!(EnvId::parse("env_id", sent).unwrap(), EnvId(number));
        }
        for bad in ["", "-1", "+1", "4294967296", "1.0", "1e3", " 1", "٣"] {
            let error = EnvId::parse("env_id", bad).unwrap_err().to_string();
            assert!(error.contains("send a whole number from 0 to 4294967295"), "{bad}: {error}");
        }
    }
}
