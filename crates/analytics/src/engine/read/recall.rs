//! Reads sheets through the cache: lists their keys, and reads only those that are in no cached fold.

use std::collections::HashSet;
use std::sync::Arc;

use trailkeeper_domain::ports::{ReadTx, SheetKey};
use trailkeeper_domain::scope::Part;
use trailkeeper_domain::time::TimeRange;
use trailkeeper_domain::{Error, Result};

use super::folding::Folding;
use super::plan::Plan;
use super::{Reading, bucket_at, parallel};
use crate::engine::fold_cache::{CachedFold, FoldCache, FoldKey, SheetList, SheetVersion};
use crate::engine::sheet_row;

/// The most sheets that are looked up at once: bounds memory.
const LOOKED_UP: usize = 16;

/// The most sheets of a bucket that are looked up. More of them are faster to read one after the other, with the others.
const LACKING: usize = 64;

/// What the cache has of a bucket.
enum Known {
    /// The fold of all of its sheets.
    All,
    /// The fold of some of its sheets; these are the others.
    Some(Vec<SheetKey>),
    /// No fold that can be used. These sheets are the same as at an earlier question.
    Nothing(HashSet<SheetKey>),
}

impl<F: Folding> Reading<'_, F> {
    /// Folds the sheets of the plan into the folds, which are empty; or begins with cached folds of these sheets.
    ///
    /// The list of sheets comes from the transaction's own snapshot, and a key names the same sheet for all time: so a
    /// cached fold is the one that reading would give. Where nothing is cached of any bucket, nothing is listed: then
    /// the question costs what it costs without a cache. A fold is cached only after all of its sheets were read.
    ///
    /// A merge changes the last periods of a range that holds the present. When that is seen, the fold of the sheets that
    /// stayed is cached too, so that the next merge leaves only the others to be read.
    pub(super) fn recall(&mut self, tx: &mut dyn ReadTx, cache: &FoldCache, plan: &Plan, parts: &[Part]) -> Result<()> {
        let keys = self.keys(&plan.covered);
        let of_all = cache.find(&keys);
        let of_unchanged = cache.find(&keys.iter().map(FoldKey::of_unchanged).collect::<Vec<_>>());
        let version = SheetVersion { epoch: tx.epoch(), generation: tx.generation()? };
        let nothing_cached = of_all.iter().chain(&of_unchanged).all(Option::is_none);
        let lists = if nothing_cached { None } else { Some(self.listed(tx, plan, parts, version)?) };
        let mut known = Vec::with_capacity(keys.len());
        for (at, cached) in of_all.into_iter().zip(of_unchanged).enumerate() {
            known.push(match lists.as_ref().and_then(|lists| lists.get(at)) {
                Some(list) => self.begin(at, list, cached),
                None => Known::Nothing(HashSet::new()),
            });
        }
        let read = self.read_unknown(tx, &known, parts)?;
        for (at, ((key, known), read)) in keys.into_iter().zip(known).zip(read).enumerate() {
            let read = SheetList::new(version, read);
            let list = lists.as_ref().and_then(|lists| lists.get(at));
            let others = match (known, list) {
                (Known::All, _) => continue,
                (Known::Some(others), _) => others,
                (Known::Nothing(unchanged), Some(list)) if !unchanged.is_empty() => {
                    self.put(cache, key.of_unchanged(), at, read.clone());
                    list.without(&read)
                }
                (Known::Nothing(_), _) => {
                    self.put(cache, key, at, read);
                    continue;
                }
            };
            self.look_up(tx, version.generation, at, &others)?;
            if let Some(list) = list {
                self.put(cache, key, at, list.clone());
            }
        }
        Ok(())
    }

    /// Begins the fold of a bucket with one that is cached.
    fn begin(
        &mut self,
        at: usize,
        list: &SheetList,
        (all, unchanged): (Option<CachedFold>, Option<CachedFold>),
    ) -> Known {
        if list.is_empty() {
            return Known::All;
        }
        let found = [&all, &unchanged].into_iter().flatten().find_map(|cached| cached.of(list));
        let found = found.filter(|(_, others)| others.len() <= LACKING);
        let found = found.and_then(|(fold, others)| Some((F::of_kept(fold)?, others)));
        if let (Some((fold, others)), Some(begun)) = (found, self.folds.get_mut(at)) {
            *begun = fold;
            return if others.is_empty() { Known::All } else { Known::Some(others) };
        }
        let unchanged = all.map(|all| all.shared_with(list)).unwrap_or_default();
        let is_most = list.len() - unchanged.len() <= LACKING;
        Known::Nothing(if is_most { unchanged.into_iter().collect() } else { HashSet::new() })
    }

    /// Reads the buckets of which nothing is known: their unchanged sheets, or all where there are none. Returns the keys of
    /// the sheets by bucket.
    fn read_unknown(&mut self, tx: &mut dyn ReadTx, known: &[Known], parts: &[Part]) -> Result<Vec<Vec<SheetKey>>> {
        let unknown = |(known, bucket): (&Known, &TimeRange)| matches!(known, Known::Nothing(_)).then_some(*bucket);
        let buckets: Vec<TimeRange> = known.iter().zip(self.buckets).filter_map(unknown).collect();
        let mut read = vec![Vec::new(); self.buckets.len()];
        self.sheets(tx, &Plan::of_cover(self.scope.kind(), &buckets, &self.long).sheets, parts, &mut |at, key| {
            let wanted = match known.get(at) {
                Some(Known::Nothing(unchanged)) => unchanged.is_empty() || unchanged.contains(&key),
                _ => false,
            };
            if wanted {
                push(&mut read, at, key);
            }
            wanted
        })?;
        Ok(read)
    }

    fn put(&self, cache: &FoldCache, key: FoldKey, at: usize, sheets: SheetList) {
        if let Some(fold) = self.folds.get(at).filter(|_| !sheets.is_empty()) {
            cache.put(key, sheets, F::kept(fold));
        }
    }

    /// Folds single sheets of a bucket.
    fn look_up(&mut self, tx: &mut dyn ReadTx, generation: i64, at: usize, keys: &[SheetKey]) -> Result<()> {
        parallel::fold_all(&mut self.folds, |add| {
            for some in keys.chunks(LOOKED_UP) {
                let found = tx.sheets_by_key(generation, some)?;
                for key in some {
                    let lost = || Error::internal(format!("{}: it is listed, and not there", sheet_row(*key)));
                    add(at, *key, found.get(key).ok_or_else(lost)?)?;
                }
            }
            Ok(())
        })
    }

    /// The keys of the buckets' folds. The edges are no part of them: the same whole periods between other edges have
    /// the same fold.
    fn keys(&self, covered: &[TimeRange]) -> Vec<FoldKey> {
        // All folds have the same choice of cells.
        let choice: Arc<[_]> = self.folds.first().map(|fold| fold.choice().collect()).unwrap_or_default();
        let key = |covered: &TimeRange| FoldKey {
            bucket: self.bucket,
            scope: self.scope,
            covered: *covered,
            choice: Arc::clone(&choice),
            numbers: F::NUMBERS,
        };
        covered.iter().map(key).collect()
    }

    /// The sheets that each bucket has in this snapshot.
    fn listed(
        &self,
        tx: &mut dyn ReadTx,
        plan: &Plan,
        parts: &[Part],
        version: SheetVersion,
    ) -> Result<Vec<SheetList>> {
        let mut lists = vec![Vec::new(); self.buckets.len()];
        for range in &plan.sheets {
            for part in parts {
                for key in tx.sheet_keys(self.scope, range.level, *part, range.starts)? {
                    if let Some(at) = bucket_at(self.buckets, key.start) {
                        push(&mut lists, at, key);
                    }
                }
            }
        }
        Ok(lists.into_iter().map(|keys| SheetList::new(version, keys)).collect())
    }
}

fn push(lists: &mut [Vec<SheetKey>], at: usize, key: SheetKey) {
    if let Some(list) = lists.get_mut(at) {
        list.push(key);
    }
}
