//! The texts of fields that could not be stored as they were sent.

use sha2::{Digest, Sha256};

use crate::hex;

/// The number of characters that are kept of a text.
const KEPT: usize = 1024;

/// Stands for the character U+0000, which PostgreSQL cannot store: U+2400, the symbol for it.
const NUL: &str = "\u{2400}";

/// The text of a field that could not be stored as it was sent.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Original {
    /// The first 1,024 characters of the text, with `␀` (U+2400) in place of each NUL character (U+0000).
    pub text: String,
    /// The SHA-256 of the whole text as it was sent, in lower-case hexadecimal digits; `None` if [`Original::text`] is
    /// the whole text.
    pub sha256: Option<String>,
}

impl Original {
    /// The original of a text.
    pub fn of(sent: &str) -> Self {
        let end = sent.char_indices().nth(KEPT).map_or(sent.len(), |(end, _)| end);
        let text = sent.get(..end).unwrap_or(sent).replace('\0', NUL);
        let sha256 = (text != sent).then(|| hex::encode(&Sha256::digest(sent.as_bytes())));
        Self { text, sha256 }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_start_is_kept_and_the_hash_of_the_whole() {
        let whole = |text: &str| Original { text: text.to_owned(), sha256: None };
        for text in ["", "a\tb\u{7f}", "\u{2400}", &"é".repeat(1024)] {
            assert_eq!(Original::of(text), whole(text));
        }
        // NIST's vector of a million letters "a".
        let million = Original::of(&"a".repeat(1_000_000));
        assert_eq!(million.text, "a".repeat(1024));
        let hash = "cdc76e5c9914fb9281a1c7e284d73e67f1809a48a497200e046d39ccc7112cd0";
        assert_eq!(million.sha256.as_deref(), Some(hash));
        // By `python3 -c 'import hashlib; print(hashlib.sha256(("é" * 1025).encode()).hexdigest())'`.
        let longer = Original::of(&"é".repeat(1025));
        assert_eq!(longer.text, "é".repeat(1024));
        let hash = "7401d66e53876ff539ca56c712df32fc80df1299bf461199add1c50723cfe6cd";
        assert_eq!(longer.sha256.as_deref(), Some(hash));
        // By `printf 'a\0b' | sha256sum`.
        let hash = "59b271ae1bbcb1d31d41929817f4b16fb439eb4f31520b5ad1d5ce98920a7138";
        assert_eq!(Original::of("a\0b"), Original { text: "a\u{2400}b".to_owned(), sha256: Some(hash.to_owned()) });
    }
}
