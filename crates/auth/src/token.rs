//! Tokens: shown once, stored as a hash.
//!
//! A token consists of a prefix that names its kind, so that people and secret scanners recognise it, 43 random letters and
//! digits (256 bits), and a checksum of 6 characters, which detects a mistyped or cut token without a database query.

use std::fmt;

use trailkeeper_domain::clock::Entropy;
use zeroize::Zeroizing;

use crate::entropy::{BASE62, random_text};
use crate::sha256::sha256;

const RANDOM_CHARACTERS: usize = 43;
const CHECKSUM_CHARACTERS: usize = 6;

/// The kind of a token.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum TokenKind {
    /// An API token, which administrators create for programs.
    Api,
    /// A refresh token of a session.
    Refresh,
}

impl TokenKind {
    /// The beginning of all tokens of this kind.
    pub const fn prefix(self) -> &'static str {
        match self {
            Self::Api => "tk_",
            Self::Refresh => "rt_",
        }
    }
}

/// A token in plain text. Its `Debug` output hides it, and it is wiped from memory when dropped.
///
/// ```
/// use trailkeeper_auth::{PlainToken, SystemEntropy, TokenKind};
///
/// let token = PlainToken::generate(TokenKind::Api, &SystemEntropy::new());
/// assert!(token.expose().starts_with("tk_"));
/// assert_eq!(format!("{token:?}"), "PlainToken(…)");
///
/// // The database stores the hash, and finds the token by it.
/// let sent = PlainToken::read(TokenKind::Api, token.expose()).expect("a token of this kind");
/// assert_eq!(sent.hash(), token.hash());
///
/// let cut = &token.expose()[..token.expose().len() - 1];
/// assert!(PlainToken::read(TokenKind::Api, cut).is_none());
/// assert!(PlainToken::read(TokenKind::Refresh, token.expose()).is_none(), "another kind");
/// ```
pub struct PlainToken(Zeroizing<String>);

impl PlainToken {
    /// Makes a new token.
    pub fn generate(kind: TokenKind, entropy: &dyn Entropy) -> Self {
        let random = random_text(entropy, BASE62, RANDOM_CHARACTERS);
        let prefix = kind.prefix();
        let mut text = Zeroizing::new(String::with_capacity(prefix.len() + RANDOM_CHARACTERS + CHECKSUM_CHARACTERS));
        text.push_str(prefix);
        text.push_str(&random);
        let checksum = checksum(&text);
        text.push_str(&checksum);
        Self(text)
    }

    /// Parses a token of this kind; `None` when its form or its checksum is wrong.
    pub fn read(kind: TokenKind, text: &str) -> Option<Self> {
        let (front, sum) = text.split_at_checked(kind.prefix().len() + RANDOM_CHARACTERS)?;
        let random = front.strip_prefix(kind.prefix())?;
        let well_formed = random.bytes().all(|byte| byte.is_ascii_alphanumeric());
        (well_formed && sum == checksum(front)).then(|| Self(Zeroizing::new(text.to_owned())))
    }

    /// The plain text, to be shown once to its new owner.
    pub fn expose(&self) -> &str {
        &self.0
    }

    /// The hash under which it is stored.
    pub fn hash(&self) -> TokenHash {
        TokenHash::of(&self.0)
    }
}

impl fmt::Debug for PlainToken {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("PlainToken(…)")
    }
}

/// SHA-256 of a token. A token has 256 random bits, so it needs neither salt nor a slow hash.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct TokenHash([u8; 32]);

impl TokenHash {
    /// The hash of any text, whether it is a token or not.
    pub(crate) fn of(text: &str) -> Self {
        Self(sha256([text.as_bytes()]))
    }

    /// The 32 bytes of the hash, as they are stored.
    pub fn as_bytes(&self) -> &[u8] {
        &self.0
    }

    /// The same bytes as a vector.
    pub fn to_vec(self) -> Vec<u8> {
        self.0.to_vec()
    }
}

/// The secret of a signing key in plain text: `sk_` and 43 random letters and digits. Its `Debug` output hides it, and it
/// is wiped from memory when dropped.
pub struct PlainSecret(Zeroizing<String>);

impl PlainSecret {
    /// Makes a new secret.
    pub fn generate(entropy: &dyn Entropy) -> Self {
        let random = random_text(entropy, BASE62, RANDOM_CHARACTERS);
        let mut text = Zeroizing::new(String::with_capacity(3 + RANDOM_CHARACTERS));
        text.push_str("sk_");
        text.push_str(&random);
        Self(text)
    }

    /// The plain text, to be shown once to its new owner.
    pub fn expose(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for PlainSecret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("PlainSecret(…)")
    }
}

/// The checksum of a token's beginning. It detects typing mistakes, not forgery: anyone can compute it.
fn checksum(text: &str) -> String {
    sha256([text.as_bytes()])
        .iter()
        .filter_map(|byte| BASE62.get(usize::from(*byte) % BASE62.len()))
        .take(CHECKSUM_CHARACTERS)
        .map(|byte| char::from(*byte))
        .collect()
}
