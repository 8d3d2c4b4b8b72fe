//! Keyed hashes, which stand for ids and texts where these would take too much space.
//!
//! Senders choose ids and texts. The key of the database keeps them from choosing many with the same hash. It never
//! changes, because rows hold hashes. Two values may have the same hash, so a reader compares the values.

use std::hash::Hasher as _;

use siphasher::sip::SipHasher13;
use trailkeeper_domain::{Error, Result};

/// The domain of ids of events. Equal bytes of two domains have different hashes.
pub const EVENT_ID: u8 = 1;
/// The domain of ids of sessions.
pub const SESSION: u8 = 2;
/// The domain of types of targets.
pub const TARGET_TYPE: u8 = 3;
/// The domain of ids of targets.
pub const TARGET_ID: u8 = 4;
/// The domain of keys of pages that count as `(other)`.
pub const PAGE_KEY: u8 = 5;

/// The key of a database's hashes.
#[derive(Clone, Copy)]
pub struct HashKey([u8; 16]);

impl HashKey {
    /// The key of these sixteen bytes.
    ///
    /// # Errors
    /// There are fewer or more.
    pub fn of(stored: &[u8]) -> Result<Self> {
        let key =
            stored.try_into().map_err(|_| Error::internal("table hash_key, row 1: the key is not of 16 bytes"))?;
        Ok(Self(key))
    }

    /// The hash of these bytes in a domain: SipHash-1-3 of the domain's byte and them.
    pub fn hash64(&self, domain: u8, bytes: &[u8]) -> u64 {
        let mut hasher = SipHasher13::new_with_key(&self.0);
        hasher.write(&[domain]);
        hasher.write(bytes);
        hasher.finish()
    }

    /// The upper half of [`Self::hash64`].
    pub fn hash32(&self, domain: u8, bytes: &[u8]) -> u32 {
        (self.hash64(domain, bytes) >> 32) as u32
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn key() -> HashKey {
        HashKey::of(&std::array::from_fn::<u8, 16, _>(|at| u8::try_from(at).unwrap())).unwrap()
    }

    /// The expected hashes are those of an implementation in Python, which was compared with the vectors of SipHash-2-4.
    #[test]
    fn hashes_are_those_of_another_implementation() {
        let id: [u8; 16] = std::array::from_fn(|at| u8::try_from(at).unwrap());
        for (domain, bytes, expected) in [
            (EVENT_ID, &b""[..], 0x0732_543e_9e14_e772),
            (EVENT_ID, &id, 0xb6a3_9a1e_a580_e2d7),
            (SESSION, b"session-1", 0x4974_68ae_10fc_fef4),
            (SESSION, b"session-2", 0x2b66_aefe_0f0c_a885),
            (PAGE_KEY, "/größe".as_bytes(), 0x4cff_234b_0b56_4359),
            (EVENT_ID, &[b'x'; 300], 0x678e_7f29_efdc_29ae),
        ] {
            assert_eq!(key().hash64(domain, bytes), expected, "{bytes:?}");
        }
        assert_eq!(key().hash32(EVENT_ID, &id), 0xb6a3_9a1e);
    }

    #[test]
    fn equal_bytes_of_two_domains_have_different_hashes() {
        let hashes = [EVENT_ID, SESSION, TARGET_TYPE, TARGET_ID, PAGE_KEY].map(|domain| key().hash64(domain, b"a"));
        let distinct: std::collections::BTreeSet<u64> = hashes.into_iter().collect();
        assert_eq!(distinct.len(), hashes.len());
    }

    #[test]
    fn a_key_of_another_length_is_refused() {
        assert!(HashKey::of(&[0; 15]).is_err() && HashKey::of(&[0; 17]).is_err());
    }
}
