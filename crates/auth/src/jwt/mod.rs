//! Access tokens: JWTs signed with Ed25519 (`EdDSA`), valid for two hours by default.
//!
//! A token names an account and a session. The account's role and tenant are looked up at each request, so that a
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
pub(crate) use keys::seal_context as token_key_seal_context;
pub(crate) use schedule::{signing_index, verification_ends};
pub use verify::{JwtError, kid_of, verify};

use serde::{Deserialize, Serialize};
use trailkeeper_domain::clock::{self, Clock, Entropy};
use trailkeeper_domain::id::{AccountId, SessionId};
use trailkeeper_domain::time::Timestamp;

/// The audience (`aud`) of our access tokens. Tokens for another audience are refused.
pub const AUDIENCE: &str = "trailkeeper";

/// The claims of an access token. Times are UNIX seconds.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Claims {
    /// The issuer, a setting of the server.
    pub iss: String,
    /// The audience: [`AUDIENCE`].
    pub aud: String,
    /// The account's id.
    pub sub: String,
    /// The session's id.
    pub sid: String,
    /// The token's own id.
    pub jti: String,
    /// The time of issue.
    pub iat: i64,
    /// The beginning of its validity.
    pub nbf: i64,
    /// The end of its validity; the token is invalid at this second.
    pub exp: i64,
}

impl Claims {
    /// The claims of a token for this session, valid from now until `expires_at`, both cut to whole seconds.
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
