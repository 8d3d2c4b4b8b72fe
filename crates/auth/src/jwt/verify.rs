//! Checking access tokens.

use std::collections::HashSet;

use jsonwebtoken::errors::ErrorKind;
use jsonwebtoken::{Algorithm, Validation, decode, decode_header};
use trailkeeper_domain::id::{AccountId, SessionId};
use trailkeeper_domain::time::Timestamp;

use super::keys::KID_CHARACTERS;
use super::{AUDIENCE, Claims, KeyPair};

/// Ours have about 500 bytes; a longer one is not read at all.
const MAX_BYTES: usize = 4096;

/// How far the clock of the server that made a token may be ahead of ours, in seconds. Only for the
/// beginning: the end is exact, because the holder was told it.
const LEEWAY_S: i64 = 60;

/// Why a token does not hold. For tests and for the reader; a caller is told none of it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum JwtError {
    /// Not a token of ours by its form, or claims are missing.
    Malformed,
    /// Signed with another algorithm than `EdDSA`.
    Algorithm,
    /// It demands the understanding of an extension.
    Critical,
    /// The signature is not that of the key.
    Signature,
    /// Another issuer's.
    Issuer,
    /// For another audience.
    Audience,
    /// It holds no longer.
    Expired,
    /// It does not hold yet.
    NotYetValid,
}

/// The key that the token says it is signed with. Nothing of the token can be trusted yet.
pub fn kid_of(token: &str) -> Result<String, JwtError> {
    if token.len() > MAX_BYTES {
        return Err(JwtError::Malformed);
    }
    let header = decode_header(token).map_err(|_| JwtError::Malformed)?;
    if header.alg != Algorithm::EdDSA {
        return Err(JwtError::Algorithm);
    }
    // RFC 7515, 4.1.11: who does not understand a critical extension must refuse the token.
    if header.crit.is_some() {
        return Err(JwtError::Critical);
    }
    header
        .kid
        .filter(|kid| kid.len() == KID_CHARACTERS && kid.bytes().all(|b| b.is_ascii_hexdigit()))
        .ok_or(JwtError::Malformed)
}

/// Checks signature, issuer, audience and times; gives the account and the session.
pub fn verify(token: &str, key: &KeyPair, issuer: &str, now: Timestamp) -> Result<(AccountId, SessionId), JwtError> {
    kid_of(token)?;
    // The library compares times with the system's clock and takes a list of audiences or issuers for a
    // match; we check both ourselves, against the injected clock and the exact names.
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
