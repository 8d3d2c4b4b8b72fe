//! Answers from one snapshot: whole periods from sheets and from deltas that are not merged yet, ragged edges from
//! events.

mod folding;
mod parallel;
mod plan;
mod recall;

use std::collections::BTreeSet;
use std::sync::Arc;

use trailkeeper_domain::bucket::Bucket;
use trailkeeper_domain::fact::EventFact;
use trailkeeper_domain::id::EnvId;
use trailkeeper_domain::ports::{ReadTx, Scopes, SheetKey, SheetQuery};
use trailkeeper_domain::scope::{Part, Scope, ScopeKind};
use trailkeeper_domain::time::{TimeRange, Timestamp};
use trailkeeper_domain::{Error, Result};

use super::audience::Audience;
use super::retention::check_edges;
use super::{delta, is_counted, long};
use crate::sheet::{Facet, Fact, Fold, IdBits, Piece, SheetBuilder};
pub use folding::Folding;
use plan::{LevelRange, Plan};

/// The most facts that are collected before they are folded: bounds memory for a range with very many events.
const FACTS_AT_ONCE: usize = 1 << 16;

/// The most folds that [`each`] holds at a time: bounds memory for a question with very many buckets.
const FOLDS_AT_ONCE: usize = 32;

/// Folds the events of each bucket. Buckets are half-open, ascending and do not overlap; they may leave gaps, and an
/// empty or inverted one has an empty fold.
///
/// For one environment of a tenant, only the active users come from sheets, and all other facets from events. In its
/// folds [`Facet::Active`] stands for [`Facet::ActiveAll`]; [`Audience::active_key`] names the cell.
///
/// Folds of sheets are taken from the audience's cache and put into it. Deltas and the ragged edges are added each
/// time, so that the answer is the same with and without a cache.
///
/// # Errors
/// Those of the store; [`Error::Internal`] with the row for a corrupt payload; [`Error::Invalid`]
/// if the answer needs single events that retention has removed.
pub fn folds<F: Folding>(
    tx: &mut dyn ReadTx,
    audience: &Audience,
    buckets: &[TimeRange],
    facets: &[Facet],
) -> Result<Vec<Arc<F>>> {
    let empty = Arc::new(F::of(empty_fold(audience, facets)));
    let mut folds = vec![Arc::clone(&empty); buckets.len()];
    if !is_counted(audience.scope()) || facets.is_empty() {
        return Ok(folds);
    }
    let mut is_first = true;
    tx.in_buckets_of(audience.scope(), |tx, bucket| {
        let begun = Reading {
            scope: audience.scope(),
            env: audience.env(),
            bucket,
            buckets,
            long: BTreeSet::new(),
            folds: vec![Arc::clone(&empty); buckets.len()],
        };
        let more = begun.read(tx, audience, facets)?;
        if std::mem::take(&mut is_first) {
            folds = more;
            return Ok(());
        }
        for (fold, more) in folds.iter_mut().zip(more) {
            Arc::make_mut(fold).unite(Arc::unwrap_or_clone(more)).map_err(Error::internal)?;
        }
        Ok(())
    })?;
    Ok(folds)
}

/// The fold of one range; errors as [`folds`].
pub fn fold<F: Folding>(
    tx: &mut dyn ReadTx,
    audience: &Audience,
    range: TimeRange,
    facets: &[Facet],
) -> Result<Arc<F>> {
    let folds = folds(tx, audience, &[range], facets)?;
    folds.into_iter().next().ok_or_else(|| Error::internal("one bucket has no fold"))
}

/// Folds every bucket and passes the folds to `take` in the order of the buckets, holding few of them at a time.
///
/// # Errors
/// As [`folds`], and those of `take`.
pub fn each<F: Folding>(
    tx: &mut dyn ReadTx,
    audience: &Audience,
    buckets: &[TimeRange],
    facets: &[Facet],
    mut take: impl FnMut(&mut dyn ReadTx, TimeRange, &F) -> Result<()>,
) -> Result<()> {
    for some in buckets.chunks(FOLDS_AT_ONCE) {
        let folds = folds(tx, audience, some, facets)?;
        for (bucket, fold) in some.iter().zip(&folds) {
            take(tx, *bucket, fold)?;
        }
    }
    Ok(())
}

/// The distinct active users of a range; errors as [`folds`].
pub fn active_users(tx: &mut dyn ReadTx, audience: &Audience, range: TimeRange) -> Result<IdBits> {
    let fold: Arc<Fold> = fold(tx, audience, range, &[Facet::ActiveAll])?;
    Ok(fold.ids(audience.active_key()).cloned().unwrap_or_default())
}

fn is_active(facet: Facet) -> bool {
    matches!(facet, Facet::Active | Facet::ActiveAll)
}

fn empty_fold(audience: &Audience, facets: &[Facet]) -> Fold {
    if audience.env().is_none() {
        return Fold::new(facets);
    }
    // A sheet counts the active users of an environment only in the cell of that environment.
    let of_env = |facet: &Facet| if is_active(*facet) { Facet::Active } else { *facet };
    Fold::new(&facets.iter().map(of_env).collect::<Vec<_>>()).only(audience.active_key())
}

fn parts_of(facets: &[Facet]) -> Vec<Part> {
    Part::ALL.into_iter().filter(|part| facets.iter().any(|facet| facet.part() == *part)).collect()
}

struct Reading<'a, F> {
    scope: Scope,
    env: Option<EnvId>,
    /// The bucket of the store that has the sheets.
    bucket: Bucket,
    buckets: &'a [TimeRange],
    /// The quarters and years that have sheets.
    long: BTreeSet<Piece>,
    /// Shared with the cache, or with each other while they are empty: copied before anything is added to one.
    folds: Vec<Arc<F>>,
}

impl<F: Folding> Reading<'_, F> {
    /// Folds what one bucket of the store has.
    fn read(mut self, tx: &mut dyn ReadTx, audience: &Audience, facets: &[Facet]) -> Result<Vec<Arc<F>>> {
        let (scope, env, buckets) = (self.scope, self.env, self.buckets);
        self.long = long::periods_in(tx, scope, buckets)?;
        let plan = if env.is_none() || facets.iter().all(|facet| is_active(*facet)) {
            Plan::of_cover(scope.kind(), buckets, &self.long)
        } else {
            Plan::of_events(buckets)
        };
        check_edges(tx, scope, &plan.events)?;
        match audience.folds().filter(|cache| cache.is_on() && !plan.sheets.is_empty()) {
            Some(cache) => self.recall(tx, cache, &plan, &parts_of(facets))?,
            None => self.sheets(tx, &plan.sheets, &parts_of(facets), &mut |_, _| true)?,
        }
        self.deltas(tx, &plan)?;
        for range in &plan.events {
            self.events(tx, *range)?;
        }
        Ok(self.folds)
    }

    /// Folds the sheets of these ranges that `wanted` accepts by the index of their bucket and their key.
    fn sheets(
        &mut self,
        tx: &mut dyn ReadTx,
        ranges: &[LevelRange],
        parts: &[Part],
        wanted: &mut dyn FnMut(usize, SheetKey) -> bool,
    ) -> Result<()> {
        let Self { scope, buckets, folds, .. } = self;
        parallel::fold_all(folds, |add| {
            for range in ranges {
                for part in parts {
                    let scopes = Scopes::One(*scope);
                    let query = SheetQuery { scopes, level: range.level, part: *part, starts: range.starts };
                    tx.sheets(&query, &mut |key, payload| {
                        let Some(at) = bucket_at(buckets, key.start) else { return Ok(()) };
                        if wanted(at, key) { add(at, key, payload) } else { Ok(()) }
                    })?;
                }
            }
            Ok(())
        })
    }

    /// Counts the waiting events of whole periods. The others lie at the edges, which are counted from events.
    fn deltas(&mut self, tx: &mut dyn ReadTx, plan: &Plan) -> Result<()> {
        if plan.sheets.is_empty() {
            return Ok(());
        }
        let covered: Vec<(i64, i64)> = plan.covered.iter().map(|range| micros(*range)).collect();
        // All folds have the same choice of cells.
        let columns =
            delta::columns_of(self.folds.first().into_iter().flat_map(|fold| fold.choice()).map(|(facet, _)| facet));
        let (scope, kind) = (self.scope, self.scope.kind());
        tx.deltas(scope, &mut |waiting| {
            let delta = delta::read(&waiting)?;
            for section in delta::sections(&delta, scope) {
                delta::each_fact(waiting.number, &section, &columns, |at, fact| {
                    let nth = covered.partition_point(|(_, end)| *end <= at);
                    if covered.get(nth).is_some_and(|(start, _)| *start <= at)
                        && let Some(fold) = self.folds.get_mut(nth)
                    {
                        Arc::make_mut(fold).count(fact, kind).map_err(Error::internal)?;
                    }
                    Ok(())
                })?;
            }
            Ok(())
        })
    }

    fn events(&mut self, tx: &mut dyn ReadTx, range: TimeRange) -> Result<()> {
        let mut batch = Batch::new(self.scope.kind());
        let (scope, env) = (self.scope, self.env);
        tx.facts(scope, range, &mut |fact| {
            if env.is_none_or(|env| fact.env == env) {
                self.count(&mut batch, fact)?;
            }
            Ok(())
        })?;
        self.flush(&mut batch)
    }

    fn count(&mut self, batch: &mut Batch, fact: &EventFact) -> Result<()> {
        let inside = batch.bucket.is_some_and(|bucket| contains(bucket, fact.occurred_at));
        if !inside || batch.len >= FACTS_AT_ONCE {
            self.flush(batch)?;
            batch.bucket = bucket_at(self.buckets, fact.occurred_at).and_then(|at| self.buckets.get(at)).copied();
        }
        batch.len += 1;
        batch.builder.add(&Fact::from(fact));
        Ok(())
    }

    fn flush(&mut self, batch: &mut Batch) -> Result<()> {
        let Some(bucket) = batch.bucket.take() else { return Ok(()) };
        let done = std::mem::replace(batch, Batch::new(self.scope.kind()));
        if let Some((_, fold)) = self.fold_at(bucket.start) {
            fold.add_sheet(&done.builder.finish()).map_err(Error::internal)?;
        }
        Ok(())
    }

    /// The index of the bucket that holds an instant, and the bucket's fold, unshared so that it can be added to.
    fn fold_at(&mut self, instant: Timestamp) -> Option<(usize, &mut F)> {
        let at = bucket_at(self.buckets, instant)?;
        self.folds.get_mut(at).map(|fold| (at, Arc::make_mut(fold)))
    }
}

/// The index of the bucket that holds an instant.
fn bucket_at(buckets: &[TimeRange], instant: Timestamp) -> Option<usize> {
    let at = buckets.partition_point(|bucket| bucket.end <= instant);
    buckets.get(at).filter(|bucket| bucket.start <= instant).map(|_| at)
}

/// Facts of one bucket that are collected but not folded yet.
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

/// The start and the end of a range in microseconds since 1970. The ends of whole periods have no smaller parts.
fn micros(range: TimeRange) -> (i64, i64) {
    (range.start.timestamp_micros(), range.end.timestamp_micros())
}

fn contains(range: TimeRange, instant: Timestamp) -> bool {
    range.start <= instant && instant < range.end
}
