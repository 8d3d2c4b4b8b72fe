//! A fast hash for the ids of cells: a fold looks up one per cell, and the standard hash would take most of its time.

use std::hash::{BuildHasher, Hasher, RandomState};

/// Folded multiplication with a random key, so that a sender cannot choose environments whose hashes collide.
#[derive(Debug, Clone)]
pub(super) struct SeededHash {
    key: u64,
}

impl Default for SeededHash {
    fn default() -> Self {
        Self { key: RandomState::new().hash_one(0_u64) }
    }
}

impl BuildHasher for SeededHash {
    type Hasher = IdHasher;

    fn build_hasher(&self) -> IdHasher {
        IdHasher { state: self.key }
    }
}

/// The state of one hash.
#[derive(Debug)]
pub(super) struct IdHasher {
    state: u64,
}

impl Hasher for IdHasher {
    fn write_u64(&mut self, id: u64) {
        let (low, high) = (self.state ^ id).carrying_mul(0x9e37_79b9_7f4a_7c15, 0);
        self.state = low ^ high;
    }

    fn write(&mut self, bytes: &[u8]) {
        for byte in bytes {
            self.write_u64(u64::from(*byte));
        }
    }

    fn finish(&self) -> u64 {
        self.state
    }
}
