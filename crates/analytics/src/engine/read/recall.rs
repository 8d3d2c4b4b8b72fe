//! Sheets by way of the cache: listed, and read only where no fold of exactly these is remembered.

use std::sync::Arc;

use trailkeeper_domain::Result;
use trailkeeper_domain::ports::{ReadTx, SheetKey};
use trailkeeper_domain::scope::Part;
use trailkeeper_domain::time::TimeRange;

use super::Reading;
use super::plan::Plan;
use crate::engine::fold_cache::{CachedFold, FoldCache, FoldKey, SheetList};

impl Reading<'_> {
    /// Folds the sheets of the plan into folds that are empty, or takes what is remembered of exactly these sheets.
    ///
    /// The list comes from the transaction's own snapshot, and a key names the same sheet for all time: so a fold that
    /// is taken is the one that would have been read. Nothing is listed where nothing is remembered of any bucket: then
    /// it costs what it does without a cache. What could not be read to its end is not remembered.
    pub(super) fn recall(&mut self, tx: &mut dyn ReadTx, cache: &FoldCache, plan: &Plan, parts: &[Part]) -> Result<()> {
        let periods = self.periods(&plan.covered);
        let known = cache.find(&periods);
        let of = (tx.epoch(), tx.generation()?);
        let unread = if known.iter().all(Option::is_none) {
            (0..self.buckets.len()).collect()
        } else {
            let lists = self.listed(tx, plan, parts, of)?;
            self.take(cache, known, &lists)
        };

        let buckets: Vec<TimeRange> = unread.iter().filter_map(|at| self.buckets.get(*at).copied()).collect();
        let mut read = vec![Vec::new(); self.buckets.len()];
        self.sheets(tx, &Plan::of_cover(self.scope.kind(), &buckets).runs, parts, &mut |at, key| {
            note(&mut read, at, key);
        })?;
        for ((period, keys), fold) in periods.into_iter().zip(read).zip(&self.folds) {
            if !keys.is_empty() {
                cache.put(period, SheetList::new(of, keys), fold);
            }
        }
        Ok(())
    }

    /// Where the cache has the folds of the buckets. The edges do not matter: the same whole periods between other edges
    /// are the same fold.
    fn periods(&self, covered: &[TimeRange]) -> Vec<FoldKey> {
        // All folds have the same choice.
        let choice: Arc<[_]> = self.folds.first().map(|fold| fold.choice().collect()).unwrap_or_default();
        let period =
            |covered: &TimeRange| FoldKey { scope: self.scope, covered: *covered, choice: Arc::clone(&choice) };
        covered.iter().map(period).collect()
    }

    /// The sheets that each bucket has in this snapshot; `of` is its line of commits and its generation.
    fn listed(&self, tx: &mut dyn ReadTx, plan: &Plan, parts: &[Part], of: (u64, i64)) -> Result<Vec<SheetList>> {
        let mut lists = vec![Vec::new(); self.buckets.len()];
        for run in &plan.runs {
            for part in parts {
                for key in tx.sheet_keys(self.scope, run.level, *part, run.starts)? {
                    if let Some(at) = self.bucket_at(key.start) {
                        note(&mut lists, at, key);
                    }
                }
            }
        }
        Ok(lists.into_iter().map(|keys| SheetList::new(of, keys)).collect())
    }

    /// Takes those folds whose sheets are these. Tells which buckets have sheets that must be read.
    fn take(&mut self, cache: &FoldCache, known: Vec<Option<CachedFold>>, lists: &[SheetList]) -> Vec<usize> {
        let mut unread = Vec::new();
        for (at, ((known, list), fold)) in known.into_iter().zip(lists).zip(&mut self.folds).enumerate() {
            match known.and_then(|known| known.of(list)) {
                Some(remembered) => {
                    cache.count_recalled();
                    *fold = remembered;
                }
                None if list.is_empty() => {}
                None => unread.push(at),
            }
        }
        unread
    }
}

fn note(lists: &mut [Vec<SheetKey>], at: usize, key: SheetKey) {
    if let Some(list) = lists.get_mut(at) {
        list.push(key);
    }
}
