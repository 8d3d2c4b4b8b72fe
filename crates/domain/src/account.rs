//! Accounts and credentials of Trailkeeper itself. Hashes and sealed secrets only: what opens a
//! door is never in these types.

use std::net::IpAddr;

use crate::error::{Error, Result};
use crate::id::{AccountId, CredentialId, SessionId, TenantId};
use crate::text;
use crate::time::Timestamp;

/// What a credential may do. The table of permissions is in `trailkeeper-auth`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Role {
    /// Everything.
    Admin,
    /// Reads analytics and events.
    Analyst,
    /// Reads events and evidence.
    Auditor,
    /// Writes events, reads nothing.
    Ingest,
}

impl Role {
    /// All of them.
    pub const ALL: [Self; 4] = [Self::Admin, Self::Analyst, Self::Auditor, Self::Ingest];

    /// The name on the wire and in the database.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Admin => "admin",
            Self::Analyst => "analyst",
            Self::Auditor => "auditor",
            Self::Ingest => "ingest",
        }
    }

    /// Reads the name; `field` names it in the error.
    pub fn parse(field: &str, value: &str) -> Result<Self> {
        Self::ALL.into_iter().find(|role| role.as_str() == value).ok_or_else(|| {
            Error::invalid(
                field,
                format!("'{}' is not a role; send admin, analyst, auditor or ingest", text::shown(value)),
            )
        })
    }
}

/// Someone who may log in to Trailkeeper.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Account {
    /// Ours.
    pub id: AccountId,
    /// As it was given; unique without regard to case.
    pub email: String,
    /// For people.
    pub display_name: String,
    /// The bcrypt hash.
    pub password_hash: String,
    /// What it may do.
    pub role: Role,
    /// The one tenant it may see, where it is confined.
    pub tenant_id: Option<TenantId>,
    /// Since when it may not log in.
    pub disabled_at: Option<Timestamp>,
    /// When it was made.
    pub created_at: Timestamp,
    /// When it last changed.
    pub updated_at: Timestamp,
}

/// An API token, by its hash.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ApiToken {
    /// What administrators call it.
    pub id: CredentialId,
    /// For people.
    pub name: String,
    /// SHA-256 of the token, which is random enough to need no slow hash.
    pub token_hash: Vec<u8>,
    /// What it may do.
    pub role: Role,
    /// The one tenant it may see, where it is confined.
    pub tenant_id: Option<TenantId>,
    /// When it was made.
    pub created_at: Timestamp,
    /// When it stops working.
    pub expires_at: Option<Timestamp>,
    /// When it last worked, to the minute.
    pub last_used_at: Option<Timestamp>,
    /// Since when it is revoked.
    pub revoked_at: Option<Timestamp>,
}

/// A SaaSus-style signing key. The secret must be readable again to check signatures, so it is
/// sealed with the master key, which is outside the database.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SigningKey {
    /// What administrators call it.
    pub id: CredentialId,
    /// For people.
    pub name: String,
    /// `SaaSID` of the header.
    pub saas_id: String,
    /// `APIKey` of the header; unique.
    pub api_key: String,
    /// The secret key, sealed.
    pub sealed_secret: Vec<u8>,
    /// The one tenant it may see, where it is confined.
    pub tenant_id: Option<TenantId>,
    /// When it was made.
    pub created_at: Timestamp,
    /// Since when it is revoked.
    pub revoked_at: Option<Timestamp>,
}

/// The signature of a request that must take effect once, however often it is sent.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct SpentSignature {
    /// HMAC-SHA256 over the request and the minute.
    pub signature: [u8; 32],
    /// From when on no server takes it any more.
    pub until: Timestamp,
}

/// What began with one login and ends by logout, by time, or by the reuse of a spent token.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Session {
    /// The family's id.
    pub id: SessionId,
    /// Whose.
    pub account_id: AccountId,
    /// When the login was.
    pub started_at: Timestamp,
    /// From which address the login came.
    pub source: Option<IpAddr>,
    /// With which program, at most 1,024 characters.
    pub user_agent: Option<String>,
    /// When it was last refreshed; at first, when it began.
    pub refreshed_at: Timestamp,
    /// When it ends unless it is refreshed before; never after its last moment, some time after the login.
    pub expires_at: Timestamp,
    /// Since when it is over.
    pub ended_at: Option<Timestamp>,
}

impl Session {
    /// Whether it neither was ended nor has run out.
    pub fn is_live(&self, now: Timestamp) -> bool {
        self.ended_at.is_none() && now < self.expires_at
    }
}

/// Which sessions a list shows.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct SessionFilter {
    /// Of one account; absent: of all.
    pub account_id: Option<AccountId>,
    /// Only those that are live at this instant; absent: past ones too.
    pub live_at: Option<Timestamp>,
}

/// One refresh token of a session, by its hash.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RefreshToken {
    /// SHA-256 of the token.
    pub token_hash: Vec<u8>,
    /// Its family.
    pub session_id: SessionId,
    /// When it was issued.
    pub issued_at: Timestamp,
    /// When it stops working.
    pub expires_at: Timestamp,
    /// When it was exchanged for its successor; using it again ends the family.
    pub spent_at: Option<Timestamp>,
}

/// A key pair that signs access tokens. Shared by all servers of one database.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TokenKey {
    /// `kid` in the token's header.
    pub kid: String,
    /// The Ed25519 key pair as PKCS#8, sealed with the master key.
    pub sealed_private: Vec<u8>,
    /// The 32 bytes of the public key.
    pub public: Vec<u8>,
    /// When it was made.
    pub created_at: Timestamp,
}

/// Who does something to Trailkeeper's own records, for its trail.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Actor {
    /// A stable id: the account's or credential's.
    pub id: String,
    /// For people: the e-mail or the token's name.
    pub name: String,
}
