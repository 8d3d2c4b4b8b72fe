//! Answers from one snapshot: whole periods from sheets and from deltas that are not merged yet, ragged edges from
//! events.

mod plan;
mod recall;

use std::sync::Arc;

use trailkeeper_domain::fact::EventFact;
use trailkeeper_domain::id::EnvId;
use trailkeeper_domain::ports::{ReadTx, Scopes, SheetKey, SheetQuery};
use trailkeeper_domain::scope::{Part, Scope, ScopeKind};
use trailkeeper_domain::time::{TimeRange, Timestamp};
use trailkeeper_domain::{Error, Result};

use super::fold_cache::FoldCache;
use super::{delta, delta_row, in_row, is_counted, sheet_row};
use crate::bounds;
use crate::sheet::{CellKey, Facet, Fact, Fold, Folded, SheetBuilder};
use plan::{LevelRange, Plan};

/// Facts that are collected before they are folded: bounds memory, however many there are.
const FACTS_AT_ONCE: usize = 1 << 16;

/// Folds the events of each bucket. Buckets are half-open, ascending, not overlapping; they may leave gaps, and an
/// empty or inverted one has an empty fold.
///
/// `env` narrows to one environment of a tenant: then everything but the active users comes from the events
/// themselves, and [`Facet::ActiveAll`] stands for [`Facet::Active`] of that environment ([`active`] reads it).
///
/// With a `cache`, folds of sheets are taken from it and put into it; what waits unmerged and the ragged edges are added
/// anew each time. The answer is the same.
///
/// # Errors
/// Those of the store; an environment without its tenant; [`Error::Internal`] with the row for a corrupt payload.
pub fn folds(
    tx: &mut dyn ReadTx,
    cache: Option<&FoldCache>,
    scope: Scope,
    env: Option<EnvId>,
    buckets: &[TimeRange],
    facets: &[Facet],
) -> Result<Vec<Arc<Fold>>> {
    bounds::check_env(scope, env)?;
    let empty = Arc::new(empty_fold(env, facets));
    let mut reading = Reading { scope, env, buckets, folds: vec![empty; buckets.len()] };
    if !is_counted(scope) || facets.is_empty() {
        return Ok(reading.folds);
    }
    let plan = if env.is_none() || facets.iter().all(|facet| is_active(*facet)) {
        Plan::of_cover(scope.kind(), buckets)
    } else {
        Plan::of_events(buckets)
    };
    match cache.filter(|cache| cache.is_on() && !plan.runs.is_empty()) {
        Some(cache) => reading.recall(tx, cache, &plan, &parts_of(facets))?,
        None => reading.sheets(tx, &plan.runs, &parts_of(facets), &mut |_, _| ())?,
    }
    reading.deltas(tx, &plan)?;
    for range in &plan.raw {
        reading.events(tx, *range)?;
    }
    Ok(reading.folds)
}

/// One bucket: see [`folds`].
pub fn fold(
    tx: &mut dyn ReadTx,
    cache: Option<&FoldCache>,
    scope: Scope,
    env: Option<EnvId>,
    range: TimeRange,
    facets: &[Facet],
) -> Result<Arc<Fold>> {
    let folds = folds(tx, cache, scope, env, &[range], facets)?;
    folds.into_iter().next().ok_or_else(|| Error::internal("one bucket has no fold"))
}

/// Which cell has the active users: of one environment, or of all.
pub fn active_key(env: Option<EnvId>) -> CellKey {
    env.map_or(CellKey::single(Facet::ActiveAll), |env| CellKey::new(Facet::Active, u64::from(env.0)))
}

/// The active users of a fold that was asked for [`Facet::ActiveAll`] with this environment.
pub fn active(fold: &Fold, env: Option<EnvId>) -> Folded {
    fold.cell(active_key(env))
}

fn is_active(facet: Facet) -> bool {
    matches!(facet, Facet::Active | Facet::ActiveAll)
}

fn empty_fold(env: Option<EnvId>, facets: &[Facet]) -> Fold {
    let Some(env) = env else { return Fold::new(facets) };
    // Sheets know an environment's active users in its own cell alone.
    let of_env = |facet: &Facet| if is_active(*facet) { Facet::Active } else { *facet };
    Fold::new(&facets.iter().map(of_env).collect::<Vec<_>>()).only(active_key(Some(env)))
}

fn parts_of(facets: &[Facet]) -> Vec<Part> {
    Part::ALL.into_iter().filter(|part| facets.iter().any(|facet| facet.part() == *part)).collect()
}

struct Reading<'a> {
    scope: Scope,
    env: Option<EnvId>,
    buckets: &'a [TimeRange],
    /// Shared with the cache, or with each other while they are empty: whoever adds to one makes it his own.
    folds: Vec<Arc<Fold>>,
}

impl Reading<'_> {
    /// Folds all sheets of these runs, and tells of each to which bucket it went.
    fn sheets(
        &mut self,
        tx: &mut dyn ReadTx,
        runs: &[LevelRange],
        parts: &[Part],
        told: &mut dyn FnMut(usize, SheetKey),
    ) -> Result<()> {
        for run in runs {
            for part in parts {
                let scopes = Scopes::One(self.scope);
                let query = SheetQuery { scopes, level: run.level, part: *part, starts: run.starts };
                tx.sheets(&query, &mut |key, payload| {
                    let Some((at, fold)) = self.fold_at(key.start) else { return Ok(()) };
                    told(at, key);
                    fold.add(payload).map_err(|error| in_row(Error::internal(error), || sheet_row(key)))
                })?;
            }
        }
        Ok(())
    }

    fn deltas(&mut self, tx: &mut dyn ReadTx, plan: &Plan) -> Result<()> {
        if plan.runs.is_empty() {
            return Ok(());
        }
        tx.deltas(Scopes::One(self.scope), &mut |key, payload| {
            let walked = delta::walk(payload, |hour, sheet| {
                let covered = self.bucket_at(hour).and_then(|at| plan.covered.get(at));
                // The other hours are at the edges, and counted from events.
                if !covered.is_some_and(|covered| contains(*covered, hour)) {
                    return Ok(());
                }
                let Some((_, fold)) = self.fold_at(hour) else { return Ok(()) };
                fold.add(sheet).map_err(Error::internal)
            });
            walked.map_err(|error| in_row(error, || delta_row(key)))
        })
    }

    fn events(&mut self, tx: &mut dyn ReadTx, range: TimeRange) -> Result<()> {
        let mut batch = Batch::new(self.scope.kind());
        let (scope, env) = (self.scope, self.env);
        tx.facts(scope, range, &mut |fact| {
            if env.is_none_or(|env| fact.env == env) {
                self.count(&mut batch, fact);
            }
            Ok(())
        })?;
        self.flush(&mut batch);
        Ok(())
    }

    fn count(&mut self, batch: &mut Batch, fact: &EventFact) {
        let inside = batch.bucket.is_some_and(|bucket| contains(bucket, fact.occurred_at));
        if !inside || batch.len >= FACTS_AT_ONCE {
            self.flush(batch);
            batch.bucket = self.bucket_at(fact.occurred_at).and_then(|at| self.buckets.get(at)).copied();
        }
        batch.len += 1;
        batch.builder.add(&Fact::from(fact));
    }

    fn flush(&mut self, batch: &mut Batch) {
        let Some(bucket) = batch.bucket.take() else { return };
        let done = std::mem::replace(batch, Batch::new(self.scope.kind()));
        if let Some((_, fold)) = self.fold_at(bucket.start) {
            fold.add_sheet(&done.builder.finish());
        }
    }

    /// The fold of the bucket that holds an instant, to be added to, with the bucket's place.
    fn fold_at(&mut self, instant: Timestamp) -> Option<(usize, &mut Fold)> {
        let at = self.bucket_at(instant)?;
        self.folds.get_mut(at).map(|fold| (at, Arc::make_mut(fold)))
    }

    fn bucket_at(&self, instant: Timestamp) -> Option<usize> {
        let at = self.buckets.partition_point(|bucket| bucket.end <= instant);
        self.buckets.get(at).filter(|bucket| bucket.start <= instant).map(|_| at)
    }
}

/// Facts of one bucket that are not folded yet.
struct Batch {
    bucket: Option<TimeRange>,
    builder: SheetBuilder,
    len: usize,
}

impl Batch {
    fn new(kind: ScopeKind) -> Self {
        Self { bucket: None, builder: SheetBuilder::new(kind), len: 0 }
    }
}

fn contains(range: TimeRange, instant: Timestamp) -> bool {
    range.start <= instant && instant < range.end
}
