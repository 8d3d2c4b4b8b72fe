//! Reads sheets through the cache: lists their keys, and reads only those of buckets whose fold is not cached.

use std::sync::Arc;

use trailkeeper_domain::Result;
use trailkeeper_domain::ports::{ReadTx, SheetKey};
use trailkeeper_domain::scope::Part;
use trailkeeper_domain::time::TimeRange;

use super::Reading;
use super::plan::Plan;
use crate::engine::fold_cache::{CachedFold, FoldCache, FoldKey, SheetList, SheetVersion};

impl Reading<'_> {
    /// Folds the sheets of the plan into the folds, which are empty; or takes cached folds of exactly these sheets.
    ///
    /// The list of sheets comes from the transaction's own snapshot, and a key names the same sheet for all time: so a
    /// cached fold is the one that reading would give. Where nothing is cached of any bucket, nothing is listed: then
    /// the question costs what it costs without a cache. A fold is cached only after all of its sheets were read.
    pub(super) fn recall(&mut self, tx: &mut dyn ReadTx, cache: &FoldCache, plan: &Plan, parts: &[Part]) -> Result<()> {
        let keys = self.keys(&plan.covered);
        let cached = cache.find(&keys);
        let version = SheetVersion { epoch: tx.epoch(), generation: tx.generation()? };
        let unread = if cached.iter().all(Option::is_none) {
            (0..self.buckets.len()).collect()
        } else {
            let lists = self.listed(tx, plan, parts, version)?;
            self.take(cached, &lists)
        };

        let buckets: Vec<TimeRange> = unread.iter().filter_map(|at| self.buckets.get(*at).copied()).collect();
        let mut read = vec![Vec::new(); self.buckets.len()];
        self.sheets(tx, &Plan::of_cover(self.scope.kind(), &buckets).sheets, parts, &mut |at, key| {
            push(&mut read, at, key);
        })?;
        for ((key, sheets), fold) in keys.into_iter().zip(read).zip(&self.folds) {
            if !sheets.is_empty() {
                cache.put(key, SheetList::new(version, sheets), fold);
            }
        }
        Ok(())
    }

    /// The keys of the buckets' folds. The edges are no part of them: the same whole periods between other edges have
    /// the same fold.
    fn keys(&self, covered: &[TimeRange]) -> Vec<FoldKey> {
        // All folds have the same choice of cells.
        let choice: Arc<[_]> = self.folds.first().map(|fold| fold.choice().collect()).unwrap_or_default();
        let key = |covered: &TimeRange| FoldKey { scope: self.scope, covered: *covered, choice: Arc::clone(&choice) };
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
                    if let Some(at) = self.bucket_at(key.start) {
                        push(&mut lists, at, key);
                    }
                }
            }
        }
        Ok(lists.into_iter().map(|keys| SheetList::new(version, keys)).collect())
    }

    /// Takes the cached folds that are of exactly the listed sheets. Returns the indexes of the buckets whose sheets
    /// must be read.
    fn take(&mut self, cached: Vec<Option<CachedFold>>, lists: &[SheetList]) -> Vec<usize> {
        let mut unread = Vec::new();
        for (at, ((cached, list), fold)) in cached.into_iter().zip(lists).zip(&mut self.folds).enumerate() {
            match cached.and_then(|cached| cached.of(list)) {
                Some(same) => *fold = same,
                None if list.is_empty() => {}
                None => unread.push(at),
            }
        }
        unread
    }
}

fn push(lists: &mut [Vec<SheetKey>], at: usize, key: SheetKey) {
    if let Some(list) = lists.get_mut(at) {
        list.push(key);
    }
}
