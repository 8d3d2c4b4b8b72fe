//! Folds of sheets that were asked for before.

use std::collections::HashMap;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use trailkeeper_domain::ports::SheetKey;
use trailkeeper_domain::scope::Scope;
use trailkeeper_domain::time::TimeRange;

use crate::sheet::{Facet, Fold};

/// About what an entry takes besides its fold, its list and its choice: its slots in the table, and two counters of
/// references.
const PER_ENTRY: usize = 256;

/// Remembers folds of sheets, so that the same question is not read and folded again.
///
/// A fold is remembered with the list of the sheets that it is of, generation and keys, and given for exactly this list
/// alone. A key names the same sheet for all time ([`SheetKey`]), so what is remembered is never out of date; it may
/// only be of no use any more. What changes meanwhile, merged or rebuilt by any server, changes the list that a
/// snapshot has. Deltas and events are never in it. It must see no list of a transaction that has written sheets itself:
/// that may be rolled back.
///
/// It holds about so many bytes as it was made with, or fewer, whatever is asked. What is in use stays: folds lie in two
/// halves; one that is asked for moves to the young half, and when that is full it becomes the old one, and what the old
/// one held is forgotten. A fold that takes more than a quarter of the bytes is not kept.
pub struct FoldCache {
    state: Mutex<State>,
    most_bytes: usize,
    recalled: AtomicU64,
    forgotten: AtomicU64,
}

/// Where a fold is remembered: at most one for each place, the last.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(super) struct FoldKey {
    /// Whose sheets.
    pub scope: Scope,
    /// Over which whole periods.
    pub covered: TimeRange,
    /// Which of their cells: [`Fold::choice`].
    pub choice: Arc<[(Facet, Option<u64>)]>,
}

/// Exactly which sheets. Equal lists of one scope are the same bytes.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct SheetList {
    /// Of which line of commits, and of which generation.
    of: (u64, i64),
    /// Ascending.
    keys: Vec<SheetKey>,
}

impl SheetList {
    /// The list of these sheets, in any order.
    pub fn new(of: (u64, i64), mut keys: Vec<SheetKey>) -> Self {
        keys.sort_unstable();
        Self { of, keys }
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.keys.is_empty()
    }
}

/// A fold, and of which sheets it is.
#[derive(Clone)]
pub(super) struct CachedFold {
    sheets: Arc<SheetList>,
    fold: Arc<Fold>,
    bytes: usize,
}

impl CachedFold {
    /// The fold, where it is of these sheets.
    pub fn of(self, sheets: &SheetList) -> Option<Arc<Fold>> {
        (*self.sheets == *sheets).then_some(self.fold)
    }
}

/// How often a cache was of use, and how often it was too small.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct FoldCounts {
    /// Folds that were taken from it.
    pub recalled: u64,
    /// Folds that made room for others.
    pub forgotten: u64,
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
    /// An empty cache of about so many bytes at most; 0: it keeps nothing.
    pub fn new(most_bytes: usize) -> Self {
        Self { state: Mutex::default(), most_bytes, recalled: AtomicU64::new(0), forgotten: AtomicU64::new(0) }
    }

    /// What it was of use for since it was made.
    pub fn counts(&self) -> FoldCounts {
        FoldCounts {
            recalled: self.recalled.load(Ordering::Relaxed),
            forgotten: self.forgotten.load(Ordering::Relaxed),
        }
    }

    /// Whether it keeps anything.
    pub(super) fn is_on(&self) -> bool {
        self.most_bytes > 0
    }

    /// What is remembered at these places, of whichever sheets.
    pub(super) fn find(&self, periods: &[FoldKey]) -> Vec<Option<CachedFold>> {
        // Megabytes, which are given back when the lock is free.
        let mut gone = Vec::new();
        let mut state = self.lock();
        let found = periods.iter().map(|period| state.find(period, self.half(), &mut gone)).collect();
        drop(state);
        self.count_forgotten(&gone);
        found
    }

    /// Remembers the fold of these sheets, in place of that of others.
    pub(super) fn put(&self, period: FoldKey, sheets: SheetList, fold: &Arc<Fold>) {
        let list = sheets.keys.capacity() * size_of::<SheetKey>();
        let bytes = fold.bytes() + list + size_of_val(&*period.choice) + PER_ENTRY;
        if bytes > self.most_bytes / 4 {
            return;
        }
        let new = CachedFold { sheets: Arc::new(sheets), fold: Arc::clone(fold), bytes };
        let mut gone = Vec::new();
        let mut state = self.lock();
        let _replaced = state.remove(&period);
        state.put(period, new, self.half(), &mut gone);
        drop(state);
        self.count_forgotten(&gone);
    }

    /// Counts a fold that was taken.
    pub(super) fn count_recalled(&self) {
        self.recalled.fetch_add(1, Ordering::Relaxed);
    }

    fn half(&self) -> usize {
        self.most_bytes / 2
    }

    fn count_forgotten(&self, gone: &[Half]) {
        let folds: usize = gone.iter().map(|half| half.folds.len()).sum();
        self.forgotten.fetch_add(folds as u64, Ordering::Relaxed);
    }

    // Nothing that can panic runs under this lock, so a poisoned state is a whole one.
    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl State {
    fn find(&mut self, period: &FoldKey, most: usize, gone: &mut Vec<Half>) -> Option<CachedFold> {
        if let Some(young) = self.young.folds.get(period) {
            return Some(young.clone());
        }
        let (period, found) = self.old.remove(period)?;
        self.put(period, found.clone(), most, gone);
        Some(found)
    }

    fn remove(&mut self, period: &FoldKey) -> Option<CachedFold> {
        self.young.remove(period).or_else(|| self.old.remove(period)).map(|(_, found)| found)
    }

    /// Puts what is not there into the young half, which never takes more than `most` bytes.
    fn put(&mut self, period: FoldKey, new: CachedFold, most: usize, gone: &mut Vec<Half>) {
        if self.young.bytes + new.bytes > most {
            let young = std::mem::take(&mut self.young);
            gone.push(std::mem::replace(&mut self.old, young));
        }
        self.young.bytes += new.bytes;
        self.young.folds.insert(period, new);
    }
}

impl Half {
    fn remove(&mut self, period: &FoldKey) -> Option<(FoldKey, CachedFold)> {
        let (period, found) = self.folds.remove_entry(period)?;
        self.bytes -= found.bytes;
        Some((period, found))
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

    fn period(hour: i64) -> FoldKey {
        let covered = TimeRange { start: at(hour), end: at(hour + 1) };
        FoldKey { scope: Scope::Everyone, covered, choice: Arc::from([(Facet::ActiveAll, None)]) }
    }

    fn list(generation: i64, runs: &[u32]) -> SheetList {
        let (scope, level, part, start) = (Scope::Everyone, Level::Hour, Part::Totals, at(0));
        SheetList::new(
            (0, generation),
            runs.iter().map(|run| SheetKey { scope, level, part, start, run: *run }).collect(),
        )
    }

    /// So many users, far enough from each other that most take memory of their own.
    fn fold(users: u32) -> Arc<Fold> {
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
        Arc::new(fold)
    }

    fn users(fold: &Fold) -> u64 {
        fold.cell(CellKey::single(Facet::ActiveAll)).distinct
    }

    fn recalled(cache: &FoldCache, period: &FoldKey, list: &SheetList) -> Option<u64> {
        let mut found = cache.find(std::slice::from_ref(period));
        found.pop().unwrap().and_then(|known| known.of(list)).map(|fold| users(&fold))
    }

    /// What it holds, counted anew, and whether that is what it believes.
    fn held(cache: &FoldCache) -> usize {
        let state = cache.lock();
        let bytes = |half: &Half| {
            let bytes = half.folds.values().map(|known| known.bytes).sum::<usize>();
            assert_eq!(bytes, half.bytes);
            assert!(half.folds.values().all(|known| known.bytes > known.fold.bytes()));
            bytes
        };
        assert!(state.young.folds.keys().all(|period| !state.old.folds.contains_key(period)), "nothing is held twice");
        bytes(&state.young) + bytes(&state.old)
    }

    #[test]
    fn a_fold_is_given_for_exactly_its_sheets() {
        let cache = FoldCache::new(1 << 20);
        cache.put(period(0), list(1, &[5, 3]), &fold(7));
        assert_eq!(recalled(&cache, &period(0), &list(1, &[3, 5])), Some(7), "in any order");
        for other in [list(1, &[3]), list(1, &[3, 6]), list(1, &[3, 5, 6]), list(2, &[3, 5]), list(1, &[])] {
            assert_eq!(recalled(&cache, &period(0), &other), None, "{other:?}");
        }
        let tenant = Scope::Tenant(TenantId(Uuid::from_u128(1)));
        let of_env = Arc::from([(Facet::ActiveAll, Some(1))]);
        let another = Arc::from([(Facet::Active, None)]);
        for other in [
            period(1),
            FoldKey { scope: tenant, ..period(0) },
            FoldKey { choice: of_env, ..period(0) },
            FoldKey { choice: another, ..period(0) },
        ] {
            assert_eq!(recalled(&cache, &other, &list(1, &[3, 5])), None, "{other:?}");
        }
        // What is newer takes the place of what is older.
        cache.put(period(0), list(1, &[6]), &fold(8));
        assert_eq!(recalled(&cache, &period(0), &list(1, &[3, 5])), None);
        assert_eq!(recalled(&cache, &period(0), &list(1, &[6])), Some(8));
        held(&cache);
    }

    #[test]
    fn it_never_holds_more_than_it_may() {
        let folds: Vec<Arc<Fold>> = [0, 1, 40, 500, 3_000].map(fold).into();
        for most in [0, 1, 1_000, 10_000, 100_000, 1 << 20, 1 << 30] {
            let cache = FoldCache::new(most);
            let mut kept = 0;
            for round in 0..2_000 {
                let fold = &folds[usize::try_from(round).unwrap() * 7 % folds.len()];
                cache.put(period(round % 300), list(round / 900, &[1]), fold);
                cache.find(&[period(round / 3 % 300), period(round / 7 % 300)]);
                let bytes = held(&cache);
                assert!(bytes <= most, "{bytes} of {most}");
                kept = kept.max(bytes);
            }
            assert_eq!(kept > 0, most >= 10_000, "{most}");
            assert_eq!(cache.counts().forgotten > 0, (10_000..1 << 30).contains(&most), "{most}");
        }
    }

    #[test]
    fn what_is_in_use_stays() {
        let cache = FoldCache::new(64 << 10);
        cache.put(period(-1), list(1, &[1]), &fold(9));
        for hour in 0..2_000 {
            cache.put(period(hour), list(1, &[1]), &fold(3));
            assert_eq!(recalled(&cache, &period(-1), &list(1, &[1])), Some(9));
        }
        assert_eq!(recalled(&cache, &period(0), &list(1, &[1])), None);
    }

    #[test]
    fn a_fold_of_more_than_a_quarter_is_not_kept() {
        let (fold, bytes) = (fold(3_000), fold(3_000).bytes());
        for (most, kept) in [(bytes * 3, None), (bytes * 4 + 4_000, Some(3_000))] {
            let cache = FoldCache::new(most);
            cache.put(period(0), list(1, &[1]), &fold);
            assert_eq!(recalled(&cache, &period(0), &list(1, &[1])), kept, "{most}");
        }
    }
}
