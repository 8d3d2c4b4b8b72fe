//! A cache of folds, keyed by the sheets that were folded.

use std::collections::HashMap;
use std::sync::Arc;

use parking_lot::Mutex;
use trailkeeper_domain::bucket::Bucket;
use trailkeeper_domain::ports::SheetKey;
use trailkeeper_domain::scope::Scope;
use trailkeeper_domain::time::TimeRange;

use crate::sheet::{Facet, Fold, Numbers};

/// About how many bytes an entry takes in addition to its fold, its list of sheets and its choice of cells: its slots
/// in the table, and two reference counters.
const PER_ENTRY: usize = 256;

/// Caches folds of sheets, so that a question that is asked again does not read and fold the same sheets.
///
/// A fold is stored with the list of the sheets that it was made of (generation and keys), and returned only if all of
/// them are in the question's list; the question adds the other ones. A key names the same sheet for all time ([`SheetKey`]), so a cached fold is never out of date; it
/// can only become useless: a merge or a rebuild, by whichever server, changes the list that a snapshot has. Deltas and
/// events are never part of a cached fold. The cache must not see the list of a transaction that has written sheets
/// itself, because that transaction may be rolled back.
///
/// The cache holds about the number of bytes that it was made with, or fewer. Entries lie in two halves. An entry that
/// is read moves to the young half; when that is full, it becomes the old half, and the entries of the previous old
/// half are dropped. So entries in use stay. A fold of more than a quarter of the bytes is not cached.
pub struct FoldCache {
    state: Mutex<State>,
    max_bytes: usize,
}

/// The key of an entry. It does not name the sheets, so that a fold replaces the one of the sheets before.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(super) struct FoldKey {
    /// The bucket of the sheets.
    pub bucket: Bucket,
    /// The scope of the sheets.
    pub scope: Scope,
    /// The whole periods that they cover.
    pub covered: TimeRange,
    /// The cells that were folded: [`Fold::choice`].
    pub choice: Arc<[(Facet, Option<u64>)]>,
    /// Whether only numbers are needed. A question about ids cannot use them, so both have an entry.
    pub numbers: bool,
}

impl FoldKey {
    /// The key of the fold of the sheets that did not change when others of the same range did. It serves every range with
    /// this beginning, because it is only used where all of its sheets are in the list. A range without an extent has no
    /// sheets, so no other fold has this key.
    pub fn of_unchanged(&self) -> Self {
        let start = self.covered.start;
        let covered = TimeRange { start, end: start };
        Self { covered, ..self.clone() }
    }
}

/// The part of a store's history inside which a key names one sheet.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct SheetVersion {
    /// The store's epoch.
    pub epoch: u64,
    /// The generation of the sheets.
    pub generation: i64,
}

/// A set of sheets. Equal lists of one scope are the same bytes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct SheetList {
    version: SheetVersion,
    /// Ascending.
    keys: Vec<SheetKey>,
}

impl SheetList {
    /// The list of these sheets, in any order.
    pub fn new(version: SheetVersion, mut keys: Vec<SheetKey>) -> Self {
        keys.sort_unstable();
        Self { version, keys }
    }

    /// The number of sheets.
    pub fn len(&self) -> usize {
        self.keys.len()
    }

    /// Whether the list has no sheets.
    pub fn is_empty(&self) -> bool {
        self.keys.is_empty()
    }

    /// The sheets that are not in the other list.
    pub fn without(&self, other: &Self) -> Vec<SheetKey> {
        self.keys.iter().filter(|key| !other.contains(key)).copied().collect()
    }

    /// Whether each of its sheets is in the other list.
    fn is_part_of(&self, other: &Self) -> bool {
        self.version == other.version && self.keys.iter().all(|key| other.contains(key))
    }

    fn contains(&self, key: &SheetKey) -> bool {
        self.keys.binary_search(key).is_ok()
    }
}

/// A fold of one of the types that questions need.
#[derive(Clone)]
pub enum Kept {
    /// With its ids.
    Fold(Arc<Fold>),
    /// Without.
    Numbers(Arc<Numbers>),
}

impl Kept {
    fn bytes(&self) -> usize {
        match self {
            Self::Fold(fold) => fold.bytes(),
            Self::Numbers(numbers) => numbers.bytes(),
        }
    }
}

/// A fold with the sheets that it was made of.
#[derive(Clone)]
pub(super) struct CachedFold {
    sheets: Arc<SheetList>,
    fold: Kept,
    bytes: usize,
}

impl CachedFold {
    /// The fold and the sheets that it lacks, if it was made of these sheets or of some of them.
    pub fn of(&self, sheets: &SheetList) -> Option<(&Kept, Vec<SheetKey>)> {
        self.sheets.is_part_of(sheets).then(|| (&self.fold, sheets.without(&self.sheets)))
    }

    /// The sheets of the list of which it was made, among others.
    pub fn shared_with(&self, sheets: &SheetList) -> Vec<SheetKey> {
        let same = self.sheets.version == sheets.version;
        sheets.keys.iter().filter(|key| same && self.sheets.contains(key)).copied().collect()
    }
}

#[derive(Default)]
struct State {
    young: Half,
    old: Half,
}

#[derive(Default)]
struct Half {
    folds: HashMap<FoldKey, CachedFold>,
    bytes: usize,
}

impl FoldCache {
    /// An empty cache of about `max_bytes` bytes at most; with 0 it keeps nothing.
    pub fn new(max_bytes: usize) -> Self {
        Self { state: Mutex::default(), max_bytes }
    }

    /// Whether the cache keeps anything.
    pub(super) fn is_on(&self) -> bool {
        self.max_bytes > 0
    }

    /// The entries of these keys, whatever sheets they are of.
    pub(super) fn find(&self, keys: &[FoldKey]) -> Vec<Option<CachedFold>> {
        // Dropped entries may be megabytes, which are freed after the lock is released.
        let mut dropped = Vec::new();
        let mut state = self.state.lock();
        keys.iter().map(|key| state.find(key, self.half(), &mut dropped)).collect()
    }

    /// Stores the fold of these sheets, in place of the fold of other sheets.
    pub(super) fn put(&self, key: FoldKey, sheets: SheetList, fold: Kept) {
        let list = sheets.keys.capacity() * size_of::<SheetKey>();
        let bytes = fold.bytes() + list + size_of_val(&*key.choice) + PER_ENTRY;
        if bytes > self.max_bytes / 4 {
            return;
        }
        let new = CachedFold { sheets: Arc::new(sheets), fold, bytes };
        let mut dropped = Vec::new();
        let mut state = self.state.lock();
        let replaced = state.remove(&key);
        state.put(key, new, self.half(), &mut dropped);
        drop(state);
        drop(replaced);
    }

    fn half(&self) -> usize {
        self.max_bytes / 2
    }
}

impl State {
    fn find(&mut self, key: &FoldKey, max_bytes: usize, dropped: &mut Vec<Half>) -> Option<CachedFold> {
        if let Some(young) = self.young.folds.get(key) {
            return Some(young.clone());
        }
        let (key, found) = self.old.remove(key)?;
        self.put(key, found.clone(), max_bytes, dropped);
        Some(found)
    }

    fn remove(&mut self, key: &FoldKey) -> Option<CachedFold> {
        self.young.remove(key).or_else(|| self.old.remove(key)).map(|(_, found)| found)
    }

    /// Puts an entry whose key is in neither half into the young half, which never holds more than `max_bytes`.
    fn put(&mut self, key: FoldKey, new: CachedFold, max_bytes: usize, dropped: &mut Vec<Half>) {
        if self.young.bytes + new.bytes > max_bytes {
            let young = std::mem::take(&mut self.young);
            dropped.push(std::mem::replace(&mut self.old, young));
        }
        self.young.bytes += new.bytes;
        self.young.folds.insert(key, new);
    }
}

impl Half {
    fn remove(&mut self, key: &FoldKey) -> Option<(FoldKey, CachedFold)> {
        let (key, found) = self.folds.remove_entry(key)?;
        self.bytes -= found.bytes;
        Some((key, found))
    }
}

#[cfg(test)]
mod tests {
    use trailkeeper_domain::id::TenantId;
    use trailkeeper_domain::scope::{Level, Part, ScopeKind};
    use trailkeeper_domain::time::Timestamp;
    use uuid::Uuid;

    use super::*;
    use crate::sheet::{CellKey, Fact, Sheet};

    fn at(hour: i64) -> Timestamp {
        Timestamp::from_timestamp(hour * 3_600, 0).unwrap()
    }

    fn key(hour: i64) -> FoldKey {
        let covered = TimeRange { start: at(hour), end: at(hour + 1) };
        FoldKey {
            bucket: Bucket::FIRST,
            scope: Scope::Everyone,
            covered,
            choice: Arc::from([(Facet::ActiveAll, None)]),
            numbers: false,
        }
    }

    fn list(generation: i64, runs: &[u32]) -> SheetList {
        let (scope, level, part, start) = (Scope::Everyone, Level::Hour, Part::Totals, at(0));
        SheetList::new(
            SheetVersion { epoch: 0, generation },
            runs.iter().map(|run| SheetKey { scope, level, part, start, run: *run }).collect(),
        )
    }

    /// A fold of this many users, far enough from each other that most take memory of their own.
    fn fold(users: u32) -> Kept {
        let fact = |user: u32| Fact {
            page: None,
            env: 1,
            kind: 4,
            userinfo: false,
            login: None,
            failed: false,
            user: Some(user * 1_000),
            source: None,
        };
        let facts: Vec<Fact> = (0..users).map(fact).collect();
        let mut fold = Fold::new(&[Facet::ActiveAll]);
        fold.add_sheet(&Sheet::of(ScopeKind::Everyone, &facts));
        Kept::Fold(Arc::new(fold))
    }

    fn users(fold: &Kept) -> u64 {
        match fold {
            Kept::Fold(fold) => fold.cell(CellKey::single(Facet::ActiveAll)).distinct,
            Kept::Numbers(numbers) => numbers.cell(CellKey::single(Facet::ActiveAll)).distinct,
        }
    }

    fn recalled(cache: &FoldCache, key: &FoldKey, list: &SheetList) -> Option<u64> {
        let mut found = cache.find(std::slice::from_ref(key));
        found
            .pop()
            .unwrap()
            .and_then(|cached| cached.of(list).filter(|(_, lacks)| lacks.is_empty()).map(|(fold, _)| users(fold)))
    }

    /// The entries and their bytes, recounted; checks that the cache has counted the same bytes.
    fn held(cache: &FoldCache) -> (usize, usize) {
        let state = cache.state.lock();
        let bytes = |half: &Half| {
            let bytes = half.folds.values().map(|cached| cached.bytes).sum::<usize>();
            assert_eq!(bytes, half.bytes);
            assert!(half.folds.values().all(|cached| cached.bytes > cached.fold.bytes()));
            bytes
        };
        assert!(state.young.folds.keys().all(|key| !state.old.folds.contains_key(key)), "an entry is in one half only");
        (state.young.folds.len() + state.old.folds.len(), bytes(&state.young) + bytes(&state.old))
    }

    #[test]
    fn a_fold_is_returned_only_for_exactly_its_sheets() {
        let cache = FoldCache::new(1 << 20);
        cache.put(key(0), list(1, &[5, 3]), fold(7));
        assert_eq!(recalled(&cache, &key(0), &list(1, &[3, 5])), Some(7), "in any order");
        for other in [list(1, &[3]), list(1, &[3, 6]), list(1, &[3, 5, 6]), list(2, &[3, 5]), list(1, &[])] {
            assert_eq!(recalled(&cache, &key(0), &other), None, "{other:?}");
        }
        let tenant = Scope::Tenant(TenantId(Uuid::from_u128(1)));
        let of_env = Arc::from([(Facet::ActiveAll, Some(1))]);
        let another = Arc::from([(Facet::Active, None)]);
        for other in [
            key(1),
            FoldKey { scope: tenant, ..key(0) },
            FoldKey { choice: of_env, ..key(0) },
            FoldKey { choice: another, ..key(0) },
            FoldKey { numbers: true, ..key(0) },
        ] {
            assert_eq!(recalled(&cache, &other, &list(1, &[3, 5])), None, "{other:?}");
        }
        // The newer fold replaces the older one.
        cache.put(key(0), list(1, &[6]), fold(8));
        assert_eq!(recalled(&cache, &key(0), &list(1, &[3, 5])), None);
        assert_eq!(recalled(&cache, &key(0), &list(1, &[6])), Some(8));
        held(&cache);
    }

    #[test]
    fn it_never_holds_more_than_its_limit() {
        let folds: Vec<Kept> = [0, 1, 40, 500, 3_000].map(fold).into();
        for limit in [0, 1, 1_000, 10_000, 100_000, 1 << 20, 1 << 30] {
            let cache = FoldCache::new(limit);
            let mut kept = 0;
            for round in 0..2_000 {
                let fold = &folds[usize::try_from(round).unwrap() * 7 % folds.len()];
                cache.put(key(round % 300), list(round / 900, &[1]), fold.clone());
                cache.find(&[key(round / 3 % 300), key(round / 7 % 300)]);
                let (_, bytes) = held(&cache);
                assert!(bytes <= limit, "{bytes} of {limit}");
                kept = kept.max(bytes);
            }
            assert_eq!(kept > 0, limit >= 10_000, "{limit}");
            assert_eq!(held(&cache).0 == 300, limit == 1 << 30, "{limit}");
        }
    }

    #[test]
    fn an_entry_in_use_stays() {
        let cache = FoldCache::new(64 << 10);
        cache.put(key(-1), list(1, &[1]), fold(9));
        for hour in 0..2_000 {
            cache.put(key(hour), list(1, &[1]), fold(3));
            assert_eq!(recalled(&cache, &key(-1), &list(1, &[1])), Some(9));
        }
        assert_eq!(recalled(&cache, &key(0), &list(1, &[1])), None);
    }

    #[test]
    fn a_fold_of_more_than_a_quarter_is_not_cached() {
        let (fold, bytes) = (fold(3_000), fold(3_000).bytes());
        for (limit, kept) in [(bytes * 3, None), (bytes * 4 + 4_000, Some(3_000))] {
            let cache = FoldCache::new(limit);
            cache.put(key(0), list(1, &[1]), fold.clone());
            assert_eq!(recalled(&cache, &key(0), &list(1, &[1])), kept, "{limit}");
        }
    }
}
