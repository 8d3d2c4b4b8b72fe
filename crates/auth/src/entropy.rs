//! Randomness of the operating system, and random texts.

use ring::rand::{SecureRandom, SystemRandom};
use trailkeeper_domain::clock::Entropy;
use zeroize::Zeroizing;

/// Letters and digits.
pub(crate) const BASE62: &[u8] = b"0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";

/// Letters and digits that do not look or sound alike, for texts that people copy by hand: no 0 O o, no 1 I i l L, no 5 S,
/// no 2 Z.
pub(crate) const READABLE: &[u8] = b"346789ABCDEFGHJKMNPQRTUVWXYabcdefghjkmnpqrstuvwxyz";

/// The operating system's randomness.
#[derive(Debug, Clone)]
pub struct SystemEntropy(SystemRandom);

impl SystemEntropy {
    /// The source of randomness. Reads nothing yet.
    pub fn new() -> Self {
        Self(SystemRandom::new())
    }
}

impl Default for SystemEntropy {
    fn default() -> Self {
        Self::new()
    }
}

impl Entropy for SystemEntropy {
    /// # Panics
    /// When the operating system gives no randomness: the tokens would be predictable.
    fn fill(&self, buffer: &mut [u8]) {
        assert!(self.0.fill(buffer).is_ok(), "the operating system gives no randomness; no key or token can be made");
    }
}

/// A text of `length` characters, each drawn evenly from `alphabet` (at most 256 ASCII characters).
pub(crate) fn random_text(entropy: &dyn Entropy, alphabet: &[u8], length: usize) -> Zeroizing<String> {
    // Bytes from the last multiple of the alphabet's length on are not used: the first characters would be more frequent.
    let usable = 256 - 256 % alphabet.len();
    // Allocated at once: a string that grows would leave copies of its beginning in memory.
    let mut text = Zeroizing::new(String::with_capacity(length));
    let mut drawn = Zeroizing::new([0_u8; 64]);
    while text.len() < length {
        entropy.fill(drawn.as_mut_slice());
        let fitting = drawn.iter().map(|byte| usize::from(*byte)).filter(|byte| *byte < usable);
        let missing = length - text.len();
        text.extend(
            fitting.filter_map(|byte| alphabet.get(byte % alphabet.len())).take(missing).map(|c| char::from(*c)),
        );
    }
    text
}
