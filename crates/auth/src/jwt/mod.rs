//! Access tokens: JWTs signed with Ed25519 (`EdDSA`), for two hours.
//!
//! They name an account and a session; what the account may do is looked up at each request, so that a
//! disabled account or an ended session stops at once and not only when its tokens expire.

mod issue;
mod jwks;
mod key_ring;
mod keys;
mod provider;
mod schedule;
mod verify;

pub use issue::issue;
pub use jwks::{Jwk, Jwks};
pub(crate) use key_ring::{KeyRing, KeySource};
pub use keys::KeyPair;
pub(crate) use keys::context as token_key_context;
pub(crate) use schedule::{ends_of, signing_index};
pub use verify::{JwtError, kid_of, verify};

use serde::{Deserialize, Serialize};
use trailkeeper_domain::clock::{self, Clock, Entropy};
use trailkeeper_domain::id::{AccountId, SessionId};
use trailkeeper_domain::time::Timestamp;

/// For whom our access tokens are. A token that another service made for itself is not for us.
pub const AUDIENCE: &str = "trailkeeper";

/// What an access token says. Times are UNIX seconds.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Claims {
    /// Who made it.
    pub iss: String,
    /// For whom: [`AUDIENCE`].
    pub aud: String,
    /// The account's id.
    pub sub: String,
    /// The session's id.
    pub sid: String,
    /// The token's own id.
    pub jti: String,
    /// When it was made.
    pub iat: i64,
    /// From when on it holds.
    pub nbf: i64,
    /// From when on it holds no longer.
    pub exp: i64,
}

impl Claims {
    /// The claims of a token for this session, from now until `expires_at` (whole seconds count).
    pub fn new(
        clock: &dyn Clock,
        entropy: &dyn Entropy,
        issuer: &str,
        (account, session): (AccountId, SessionId),
        expires_at: Timestamp,
    ) -> Self {
        let now = clock.now().timestamp();
        Self {
            iss: issuer.to_owned(),
            aud: AUDIENCE.to_owned(),
            sub: account.to_string(),
            sid: session.to_string(),
            jti: clock::new_uuid(clock, entropy).to_string(),
            iat: now,
            nbf: now,
            exp: expires_at.timestamp(),
        }
    }
}
