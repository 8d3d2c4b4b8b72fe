//! Accounts and credentials of Trailkeeper itself. These types hold hashes and sealed secrets, never a password or a
//! token.

use std::net::IpAddr;

use crate::error::{Error, Result};
use crate::id::{AccountId, CredentialId, SessionId, TenantId};
use crate::text;
use crate::time::Timestamp;

/// The permissions of a credential. `trailkeeper-auth` defines them.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Role {
    /// Has all permissions.
    Admin,
    /// Reads analytics and events.
    Analyst,
    /// Reads events and evidence.
    Auditor,
    /// Writes events, reads nothing.
    Ingest,
}

impl Role {
    /// All roles.
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

    /// Parses the name; `field` names it in the error.
    pub fn parse(field: &str, value: &str) -> Result<Self> {
        Self::ALL.into_iter().find(|role| role.as_str() == value).ok_or_else(|| {
            Error::invalid(
                field,
                format!("'{}' is not a role; send admin, analyst, auditor or ingest", text::shown(value)),
            )
        })
    }
}

/// The identity with which a person logs in to Trailkeeper.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Account {
    /// The id, which Trailkeeper assigns.
    pub id: AccountId,
    /// The e-mail address as it was entered; unique regardless of case.
    pub email: String,
    /// The name, for people.
    pub display_name: String,
    /// The bcrypt hash of the password.
    pub password_hash: String,
    /// The permissions.
    pub role: Role,
    /// The only tenant whose data it may see; `None` if it is not tenant-scoped.
    pub tenant_id: Option<TenantId>,
    /// The time since which it may not log in.
    pub disabled_at: Option<Timestamp>,
    /// The time of creation.
    pub created_at: Timestamp,
    /// The time of the last change.
    pub updated_at: Timestamp,
}

/// An API token, without the token itself.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ApiToken {
    /// The id by which administrators refer to it.
    pub id: CredentialId,
    /// The name, for people.
    pub name: String,
    /// SHA-256 of the token. A token is random, so it needs no slow hash.
    pub token_hash: Vec<u8>,
    /// The permissions.
    pub role: Role,
    /// The only tenant whose data it may see; `None` if it is not tenant-scoped.
    pub tenant_id: Option<TenantId>,
    /// The time of creation.
    pub created_at: Timestamp,
    /// The time at which it expires.
    pub expires_at: Option<Timestamp>,
    /// The time of its last use, to the minute.
    pub last_used_at: Option<Timestamp>,
    /// The time of its revocation.
    pub revoked_at: Option<Timestamp>,
}

/// A signing key of the SaaSus contract. The server needs the secret to verify signatures, so the secret is sealed with
/// the master key, which is outside the database.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SigningKey {
    /// The id by which administrators refer to it.
    pub id: CredentialId,
    /// The name, for people.
    pub name: String,
    /// The `SaaSID` in the header of a request.
    pub saas_id: String,
    /// The `APIKey` in the header of a request; unique.
    pub api_key: String,
    /// The sealed secret.
    pub sealed_secret: Vec<u8>,
    /// The only tenant whose data it may see; `None` if it is not tenant-scoped.
    pub tenant_id: Option<TenantId>,
    /// The time of creation.
    pub created_at: Timestamp,
    /// The time of its revocation.
    pub revoked_at: Option<Timestamp>,
}

/// The signature of a request that must take effect only once, however often it is sent.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct SpentSignature {
    /// HMAC-SHA256 over the request and the minute.
    pub signature: [u8; 32],
    /// The time from which on no server accepts it any more.
    pub until: Timestamp,
}

/// A session: it begins with a login, and ends by logout, by expiry, or by the reuse of a spent refresh token.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Session {
    /// The id of the session.
    pub id: SessionId,
    /// The account that logged in.
    pub account_id: AccountId,
    /// The time of the login.
    pub started_at: Timestamp,
    /// The address from which the login came.
    pub source: Option<IpAddr>,
    /// The `User-Agent` of the login, at most [`MAX_USER_AGENT`](crate::event::MAX_USER_AGENT) characters.
    pub user_agent: Option<String>,
    /// The time of the last refresh; at first, the time of the login.
    pub refreshed_at: Timestamp,
    /// The time at which it expires without a refresh. Refreshes cannot move it past the maximum length of a session.
    pub expires_at: Timestamp,
    /// The time at which it was ended; `None` also for a session that expired.
    pub ended_at: Option<Timestamp>,
}

impl Session {
    /// Whether it was neither ended nor has expired at `now`.
    pub fn is_live(&self, now: Timestamp) -> bool {
        self.ended_at.is_none() && now < self.expires_at
    }
}

/// The conditions of a list of sessions.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct SessionFilter {
    /// Only the sessions of this account.
    pub account_id: Option<AccountId>,
    /// Only sessions that are live at this instant; `None` includes past ones.
    pub live_at: Option<Timestamp>,
}

/// A refresh token of a session, without the token itself.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RefreshToken {
    /// SHA-256 of the token.
    pub token_hash: Vec<u8>,
    /// The session to which it belongs.
    pub session_id: SessionId,
    /// The time at which it was issued.
    pub issued_at: Timestamp,
    /// The time at which it expires.
    pub expires_at: Timestamp,
    /// The time at which it was exchanged for its successor.
    pub spent_at: Option<Timestamp>,
    /// SHA-256 of its latest successor; `None` for an unspent token, and for one that was spent before successors were
    /// recorded.
    pub successor_hash: Option<Vec<u8>>,
    /// The time at which it got its second successor, because the first one was never used.
    pub reissued_at: Option<Timestamp>,
    /// The time at which the second successor of the same token replaced it. Its use ends the session.
    pub superseded_at: Option<Timestamp>,
}

/// A key pair that signs access tokens. All servers of a database share it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TokenKey {
    /// The key id: `kid` in the header of its tokens.
    pub kid: String,
    /// The Ed25519 key pair as PKCS#8, sealed with the master key.
    pub sealed_private: Vec<u8>,
    /// The public key, 32 bytes.
    pub public: Vec<u8>,
    /// The time of creation.
    pub created_at: Timestamp,
}

/// The person or program that changes Trailkeeper's records, for the audit trail.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Actor {
    /// The id of the account or credential.
    pub id: String,
    /// The e-mail address of the account, or the name of the token.
    pub name: String,
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(second: i64) -> Timestamp {
        Timestamp::from_timestamp(second, 0).unwrap()
    }

    fn session(expires_at: i64, ended_at: Option<i64>) -> Session {
        Session {
            id: SessionId(uuid::Uuid::nil()),
            account_id: AccountId(uuid::Uuid::nil()),
            started_at: at(0),
            source: None,
            user_agent: None,
            refreshed_at: at(0),
            expires_at: at(expires_at),
            ended_at: ended_at.map(at),
        }
    }

    #[test]
    fn a_session_is_live_until_it_expires_or_is_ended() {
        assert!(session(100, None).is_live(at(99)));
        assert!(!session(100, None).is_live(at(100)), "the end is exclusive");
        assert!(!session(100, Some(50)).is_live(at(60)));
        assert!(!session(100, Some(50)).is_live(at(40)), "an ended session is over, whatever a slow clock says");
    }

    #[test]
    fn role_names_lead_back_and_others_are_rejected() {
        for role in Role::ALL {
            assert_eq!(Role::parse("role", role.as_str()).unwrap(), role);
        }
        for bad in ["", "Admin", "root"] {
            let error = Role::parse("role", bad).unwrap_err().to_string();
            assert_eq!(error, format!("role: '{bad}' is not a role; send admin, analyst, auditor or ingest"));
        }
    }
}
