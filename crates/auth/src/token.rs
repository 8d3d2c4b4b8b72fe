//! Tokens: shown once, stored as a hash.
//!
//! A token is a prefix that tells its kind (so that people and secret scanners recognise it), 43 random
//! letters and digits (256 bits), and 6 characters of checksum, by which a mistyped or cut token is told
//! apart without asking the database.

use std::fmt;

use trailkeeper_domain::clock::Entropy;
use zeroize::Zeroizing;

use crate::entropy::{BASE62, random_text};
use crate::sha256::sha256;

const RANDOM_CHARACTERS: usize = 43;
const CHECKSUM_CHARACTERS: usize = 6;

/// What a token is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum TokenKind {
    /// An API token, which administrators make for programs.
    Api,
    /// A refresh token of a login.
    Refresh,
}

impl TokenKind {
    /// How tokens of this kind begin.
    pub const fn prefix(self) -> &'static str {
        match self {
            Self::Api => "tk_",
            Self::Refresh => "rt_",
        }
    }
}

/// A token as its holder has it. Neither printed nor kept: it is shown once, and wiped when dropped.
pub struct PlainToken(Zeroizing<String>);

impl PlainToken {
    /// A new token.
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

    /// Reads a token of this kind; `None` when its form or its checksum is not right.
    pub fn read(kind: TokenKind, text: &str) -> Option<Self> {
        let (front, sum) = text.split_at_checked(kind.prefix().len() + RANDOM_CHARACTERS)?;
        let random = front.strip_prefix(kind.prefix())?;
        let formed = random.bytes().all(|byte| byte.is_ascii_alphanumeric());
        (formed && sum == checksum(front)).then(|| Self(Zeroizing::new(text.to_owned())))
    }

    /// The token itself, to be shown to its new holder.
    pub fn expose(&self) -> &str {
        &self.0
    }

    /// What is stored of it.
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
    /// Of any text, whether it is a token or not.
    pub(crate) fn of(text: &str) -> Self {
        Self(sha256([text.as_bytes()]))
    }

    /// The bytes, as they are stored.
    pub fn as_bytes(&self) -> &[u8] {
        &self.0
    }

    /// The bytes, owned.
    pub fn to_vec(self) -> Vec<u8> {
        self.0.to_vec()
    }
}

/// The secret of a signing key, `sk_` and 43 random letters and digits. Shown once, wiped when dropped.
pub struct PlainSecret(Zeroizing<String>);

impl PlainSecret {
    /// A new secret.
    pub fn generate(entropy: &dyn Entropy) -> Self {
        let random = random_text(entropy, BASE62, RANDOM_CHARACTERS);
        let mut text = Zeroizing::new(String::with_capacity(3 + RANDOM_CHARACTERS));
        text.push_str("sk_");
        text.push_str(&random);
        Self(text)
    }

    /// The secret itself, to be shown to its new holder.
    pub fn expose(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for PlainSecret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("PlainSecret(…)")
    }
}

/// Guards against typing mistakes, not against forgery: whoever has a token may compute it.
fn checksum(text: &str) -> String {
    sha256([text.as_bytes()])
        .iter()
        .filter_map(|byte| BASE62.get(usize::from(*byte) % BASE62.len()))
        .take(CHECKSUM_CHARACTERS)
        .map(|byte| char::from(*byte))
        .collect()
}
