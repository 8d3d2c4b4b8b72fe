//! Successors of refresh tokens. A successor is computed and not drawn at random, so that a second request with a token
//! that was just spent gets the same successor, although the database holds only its hash.
//!
//! `successor = token(HMAC-SHA256(derived(master key), counter ‖ spent token))`: the holder of a spent token cannot
//! compute its successor without the master key, and a thief of master key and database cannot without the spent token,
//! of which the database holds only a hash.
//!
//! A token has two successors: the first, and the one that replaces the first if the answer with it was lost. Each is
//! computed under a derived key of its own.

use std::sync::atomic::{AtomicU32, Ordering};

use ring::hmac;
use trailkeeper_domain::clock::Entropy;

use crate::master::MasterKey;
use crate::token::{PlainToken, TokenKind};

/// One of the two successors of a token.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Issue {
    /// The first one.
    First,
    /// The one that replaces the first.
    Second,
}

impl Issue {
    /// The purpose of the derived key. It must never change: another text gives other successors.
    fn purpose(self) -> &'static str {
        match self {
            Self::First => "trailkeeper refresh token successor 1",
            Self::Second => "trailkeeper refresh token second successor 1",
        }
    }
}

/// A successor of this refresh token under this master key: always the same.
pub(crate) fn successor(master: &MasterKey, spent: &PlainToken, issue: Issue) -> PlainToken {
    let stream = Stream { key: master.derived(issue.purpose()), spent, blocks: AtomicU32::new(0) };
    PlainToken::generate(TokenKind::Refresh, &stream)
}

/// Bytes derived from the spent token, used instead of randomness.
struct Stream<'a> {
    key: hmac::Key,
    spent: &'a PlainToken,
    blocks: AtomicU32,
}

impl Entropy for Stream<'_> {
    fn fill(&self, buffer: &mut [u8]) {
        for chunk in buffer.chunks_mut(32) {
            let block = self.blocks.fetch_add(1, Ordering::Relaxed);
            let mut context = hmac::Context::with_key(&self.key);
            context.update(&block.to_be_bytes());
            context.update(self.spent.expose().as_bytes());
            chunk.iter_mut().zip(context.sign().as_ref()).for_each(|(to, from)| *to = *from);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The expected value was computed with Python's hmac and hashlib, from the formula above.
    #[test]
    fn the_successor_follows_the_formula() {
        let master = MasterKey::from_hex(&"ab".repeat(32)).unwrap();
        let first = PlainToken::read(TokenKind::Refresh, FIRST).unwrap();
        let second = successor(&master, &first, Issue::First);
        assert_eq!(second.expose(), SECOND);
        assert_eq!(successor(&master, &first, Issue::First).expose(), SECOND, "always the same");
        assert_eq!(successor(&master, &first, Issue::Second).expose(), REPLACEMENT);
        let other = MasterKey::from_hex(&"ac".repeat(32)).unwrap();
        assert_ne!(successor(&other, &first, Issue::First).expose(), SECOND);
        assert!(PlainToken::read(TokenKind::Refresh, second.expose()).is_some(), "a token like any other");
    }

    const FIRST: &str = "rt_AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAZQ61G1";
    const SECOND: &str = "rt_84QseLj0v4voDDOinnUjEw4x5vJuRGWK38wN8Mbk1Y3MU2Z8T";
    const REPLACEMENT: &str = "rt_MdlYmcijN037VDC2lI7oxUyMOxxU9U0JEwd18IVlqBwDd7rRe";
}
