//! Verifying access tokens.

use std::collections::HashSet;

use jsonwebtoken::errors::ErrorKind;
use jsonwebtoken::{Algorithm, Validation, decode, decode_header};
use trailkeeper_domain::id::{AccountId, SessionId};
use trailkeeper_domain::time::Timestamp;

use super::keys::KID_CHARACTERS;
use super::{AUDIENCE, Claims, KeyPair};

/// The longest token that is parsed, in bytes. Ours have about 500.
const MAX_BYTES: usize = 4096;

/// How far the clock of the issuing server may be ahead of ours, in seconds. Applies only to the beginning of the
/// validity: the end is exact, because the holder knows it.
const LEEWAY_S: i64 = 60;

/// The reason why a token is invalid. For tests and debugging: callers of the API get one error for all of them.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum JwtError {
    /// Its form is not that of our tokens, or claims are missing.
    Malformed,
    /// Its algorithm is not `EdDSA`.
    Algorithm,
    /// Its header lists critical extensions.
    Critical,
    /// The signature does not match the key.
    Signature,
    /// It has another issuer.
    Issuer,
    /// It has another audience.
    Audience,
    /// Its validity has ended.
    Expired,
    /// Its validity has not begun.
    NotYetValid,
}

/// The id of the key that the token claims to be signed with. The token is not verified yet.
pub fn kid_of(token: &str) -> Result<String, JwtError> {
    if token.len() > MAX_BYTES {
        return Err(JwtError::Malformed);
    }
    let header = decode_header(token).map_err(|_| JwtError::Malformed)?;
    if header.alg != Algorithm::EdDSA {
        return Err(JwtError::Algorithm);
    }
    // RFC 7515, 4.1.11: a verifier must refuse a token with a critical extension that it does not understand.
    if header.crit.is_some() {
        return Err(JwtError::Critical);
    }
    header
        .kid
        .filter(|kid| kid.len() == KID_CHARACTERS && kid.bytes().all(|b| b.is_ascii_hexdigit()))
        .ok_or(JwtError::Malformed)
}

/// Verifies signature, issuer, audience and times; returns the account and the session of the token.
pub fn verify(token: &str, key: &KeyPair, issuer: &str, now: Timestamp) -> Result<(AccountId, SessionId), JwtError> {
    kid_of(token)?;
    // The library would compare times with the system's clock, and would accept a list of audiences or issuers that
    // contains the right one. We check them ourselves, against the injected clock and the exact names.
    let mut validation = Validation::new(Algorithm::EdDSA);
    validation.validate_exp = false;
    validation.validate_nbf = false;
    validation.validate_aud = false;
    validation.required_spec_claims = HashSet::new();
    let claims = decode::<Claims>(token, key.decoding(), &validation)
        .map_err(|error| match error.kind() {
            ErrorKind::InvalidSignature => JwtError::Signature,
            ErrorKind::InvalidAlgorithm => JwtError::Algorithm,
            _ => JwtError::Malformed,
        })?
        .claims;
    if claims.iss != issuer {
        return Err(JwtError::Issuer);
    }
    if claims.aud != AUDIENCE {
        return Err(JwtError::Audience);
    }
    let now = now.timestamp();
    if now >= claims.exp {
        return Err(JwtError::Expired);
    }
    if claims.nbf > now.saturating_add(LEEWAY_S) {
        return Err(JwtError::NotYetValid);
    }
    let account = AccountId::parse("sub", &claims.sub).map_err(|_| JwtError::Malformed)?;
    let session = SessionId::parse("sid", &claims.sid).map_err(|_| JwtError::Malformed)?;
    Ok((account, session))
}
