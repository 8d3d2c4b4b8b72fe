//! API and refresh tokens: only generated tokens are accepted.
#![no_main]

use std::sync::atomic::{AtomicU64, Ordering};

use libfuzzer_sys::fuzz_target;
use ring::digest::{SHA256, digest};
use trailkeeper_auth::{PlainToken, TokenKind};
use trailkeeper_domain::clock::Entropy;
use trailkeeper_fuzz::texts;

const LETTERS: &[u8; 62] = b"0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";

fuzz_target!(|data: &[u8]| {
    if let Some([text]) = texts(data) {
        raw(text);
    }
    if let Some((seed, damage)) = data.split_first_chunk() {
        damaged(u64::from_le_bytes(*seed), damage);
    }
});

fn raw(text: &str) {
    for kind in [TokenKind::Api, TokenKind::Refresh] {
        // The text as it is, and with the right checksum, because random inputs would not find the checksum.
        let summed = format!("{text}{}", checksum(text));
        for text in [text, &summed] {
            let Some(token) = PlainToken::read(kind, text) else { continue };
            assert_eq!(token.expose(), text);
            let random = text.strip_prefix(kind.prefix()).expect("a token begins with its prefix");
            assert_eq!(random.len(), 49);
            assert!(random.bytes().all(|byte| byte.is_ascii_alphanumeric()), "{text:?}");
            assert!(text.ends_with(&checksum(&text[..46])));
        }
    }
}

fn damaged(seed: u64, damage: &[u8]) {
    for (kind, other) in [(TokenKind::Api, TokenKind::Refresh), (TokenKind::Refresh, TokenKind::Api)] {
        let token = PlainToken::generate(kind, &Seeded(AtomicU64::new(seed)));
        let read = PlainToken::read(kind, token.expose()).expect("what was generated is read");
        assert_eq!(read.hash(), token.hash());
        assert!(PlainToken::read(other, token.expose()).is_none());
        let mut bytes = token.expose().as_bytes().to_vec();
        for [at, byte] in damage.as_chunks().0 {
            let at = usize::from(*at) % bytes.len();
            bytes[at] = *byte;
        }
        if let Ok(text) = std::str::from_utf8(&bytes)
            && text != token.expose()
            && text.get(..46).is_none_or(|front| !text.ends_with(&checksum(front)))
        {
            assert!(PlainToken::read(kind, text).is_none(), "{text:?}");
        }
        let mut cut = token.expose().to_owned();
        while cut.pop().is_some() {
            assert!(PlainToken::read(kind, &cut).is_none(), "{cut:?}");
        }
    }
}

/// The checksum of a token, in a second implementation.
fn checksum(text: &str) -> String {
    let hash = digest(&SHA256, text.as_bytes());
    hash.as_ref().iter().take(6).map(|byte| char::from(LETTERS[usize::from(*byte) % 62])).collect()
}

struct Seeded(AtomicU64);

impl Entropy for Seeded {
    fn fill(&self, bytes: &mut [u8]) {
        for chunk in bytes.chunks_mut(32) {
            let hash = digest(&SHA256, &self.0.fetch_add(1, Ordering::Relaxed).to_le_bytes());
            chunk.copy_from_slice(&hash.as_ref()[..chunk.len()]);
        }
    }
}
