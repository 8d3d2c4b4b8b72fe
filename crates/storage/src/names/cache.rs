//! A bounded cache of names and their numbers, in both directions.

use std::hash::{BuildHasher as _, BuildHasherDefault, Hash, Hasher, RandomState};
use std::sync::Arc;

use quick_cache::sync::{Cache, DefaultLifecycle};
use quick_cache::{DefaultHashBuilder, Options, OptionsBuilder, UnitWeighter, Weighter};
use siphasher::sip128::{Hasher128 as _, SipHasher13};

use super::Dictionary;

/// Bytes of text that the bound reserves for a name. A longer name takes the room of several.
const TEXT_PER_NAME: usize = 64;

/// Share of the cache for names that were used again. The rest takes new names in their order, so that a working set
/// of up to half the capacity is kept from its second use on, even if other names filled the cache before.
const SHARE_OF_REUSED: f64 = 0.5;

/// Share of the capacity for hashes of evicted names: none. They take memory, and with them a working set of half the
/// capacity does not stay, because a name that comes back displaces one that is in use.
const SHARE_OF_EVICTED: f64 = 0.0;

/// Committed names, which all connections to one database share.
///
/// An evicted name is looked up in the database again, so the bound costs time and nothing else. The cache evicts
/// names that were not used again before names that were. Each direction evicts on its own.
///
/// Numbers are found by a hash of 128 bits under a random key: comparing the names themselves would cost a miss of the
/// processor's cache for each. The tables find names by as many bits.
pub struct NameCache {
    /// The key of the hashes.
    key: (u64, u64),
    ids: Cache<NameHash, i32, UnitWeighter, BuildHasherDefault<Folded>>,
    names: Cache<(Dictionary, i32), Arc<str>, TextWeighter>,
}

/// The hash of a dictionary and a name.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
struct NameHash(u64, u64);

/// Hashes what is a hash already.
#[derive(Default)]
struct Folded(u64);

impl Hasher for Folded {
    fn finish(&self) -> u64 {
        self.0
    }

    fn write(&mut self, bytes: &[u8]) {
        for byte in bytes {
            self.write_u64((*byte).into());
        }
    }

    fn write_u64(&mut self, number: u64) {
        self.0 = self.0.rotate_left(32) ^ number;
    }
}

/// Weighs an entry by the bytes of its text, and no entry less than [`TEXT_PER_NAME`]: one capacity then bounds both
/// the number of names and their text.
#[derive(Clone)]
struct TextWeighter;

impl Weighter<(Dictionary, i32), Arc<str>> for TextWeighter {
    fn weight(&self, _key: &(Dictionary, i32), name: &Arc<str>) -> u64 {
        u64::try_from(name.len().max(TEXT_PER_NAME)).unwrap_or(u64::MAX)
    }
}

#[expect(clippy::expect_used, reason = "building fails only if a capacity is not set")]
fn options(capacity: usize, weight: usize) -> Options {
    OptionsBuilder::new()
        .estimated_items_capacity(capacity)
        .weight_capacity(u64::try_from(capacity.saturating_mul(weight)).unwrap_or(u64::MAX))
        .hot_allocation(SHARE_OF_REUSED)
        .ghost_allocation(SHARE_OF_EVICTED)
        .build()
        .expect("both capacities are set")
}

impl NameCache {
    /// An empty cache of at most `capacity` names in each direction.
    pub fn new(capacity: usize) -> Self {
        let random = RandomState::new();
        let (of_ids, of_names) = (options(capacity, 1), options(capacity, TEXT_PER_NAME));
        Self {
            key: (random.hash_one(0), random.hash_one(1)),
            ids: Cache::with_options(of_ids, UnitWeighter, BuildHasherDefault::default(), DefaultLifecycle::default()),
            names: Cache::with_options(
                of_names,
                TextWeighter,
                DefaultHashBuilder::default(),
                DefaultLifecycle::default(),
            ),
        }
    }

    /// Adds names whose numbers are committed.
    ///
    /// A number from a transaction that may still be rolled back must not come here: the database gives it to
    /// another name afterwards.
    pub fn put(&self, names: impl IntoIterator<Item = (Dictionary, Arc<str>, i32)>) {
        for (dictionary, name, id) in names {
            self.ids.insert(self.hash(dictionary, &name), id);
            self.names.insert((dictionary, id), name);
        }
    }

    /// The number of a name, if it is cached.
    pub fn id(&self, dictionary: Dictionary, name: &str) -> Option<i32> {
        self.ids.get(&self.hash(dictionary, name))
    }

    /// The name of a number, if it is cached.
    pub fn name(&self, dictionary: Dictionary, id: i32) -> Option<Arc<str>> {
        self.names.get(&(dictionary, id))
    }

    fn hash(&self, dictionary: Dictionary, name: &str) -> NameHash {
        let mut hasher = SipHasher13::new_with_keys(self.key.0, self.key.1);
        hasher.write_u8(dictionary as u8);
        hasher.write(name.as_bytes());
        let hash = hasher.finish128();
        NameHash(hash.h1, hash.h2)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn put(names: &NameCache, id: i32) {
        names.put([(Dictionary::Users, Arc::from(format!("user-{id}")), id)]);
    }

    #[test]
    fn names_and_numbers_find_one_another() {
        let names = NameCache::new(100);
        put(&names, 7);
        assert_eq!(names.id(Dictionary::Users, "user-7"), Some(7));
        assert_eq!(names.name(Dictionary::Users, 7).as_deref(), Some("user-7"));
        assert_eq!(names.id(Dictionary::Pages, "user-7"), None);
        assert_eq!(names.name(Dictionary::Users, 8), None);
    }

    #[test]
    fn the_number_of_names_is_bounded() {
        for capacity in [0, 1, 2, 10, 1_000] {
            let names = NameCache::new(capacity);
            for id in 0..5_000 {
                put(&names, id);
                names.id(Dictionary::Users, &format!("user-{}", id / 2));
                assert!(names.ids.len() <= capacity, "{capacity}");
                assert!(names.names.len() <= capacity, "{capacity}");
            }
        }
    }

    #[test]
    fn the_text_of_names_is_bounded() {
        let names = NameCache::new(1_000);
        for id in 0..5_000 {
            names.put([(Dictionary::Pages, Arc::from(format!("{id:2000}")), id)]);
            assert!(names.ids.len() <= 1_000, "they have no text");
            assert!(names.names.len() * 2_000 <= 1_000 * TEXT_PER_NAME);
        }
        assert!(names.name(Dictionary::Pages, 4_999).is_some(), "long names are cached too");
    }

    #[test]
    fn names_in_use_stay() {
        let names = NameCache::new(100);
        put(&names, -1);
        for id in 0..5_000 {
            put(&names, id);
            assert_eq!(names.id(Dictionary::Users, "user--1"), Some(-1));
            assert_eq!(names.name(Dictionary::Users, -1).as_deref(), Some("user--1"));
        }
        assert_eq!(names.id(Dictionary::Users, "user-2500"), None);
    }

    #[test]
    fn a_new_working_set_replaces_the_old_one() {
        let names = NameCache::new(1_000);
        for _ in 0..3 {
            for id in 0..1_000 {
                use_or_put(&names, id);
            }
        }
        for _ in 0..10 {
            for id in 5_000..5_500 {
                use_or_put(&names, id);
            }
        }
        let cached = (5_000..5_500).filter(|id| names.id(Dictionary::Users, &format!("user-{id}")).is_some()).count();
        assert!(cached > 450, "{cached} of 500");
    }

    fn use_or_put(names: &NameCache, id: i32) {
        if names.id(Dictionary::Users, &format!("user-{id}")).is_none() {
            put(names, id);
        }
    }
}
