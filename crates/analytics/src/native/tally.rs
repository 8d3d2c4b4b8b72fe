//! What the questions share: folds a few at a time, sums over a whole range, and a bound for the answer.

use std::sync::Arc;

use trailkeeper_domain::id::{EnvId, TenantId};
use trailkeeper_domain::ports::ReadTx;
use trailkeeper_domain::scope::Scope;
use trailkeeper_domain::time::TimeRange;
use trailkeeper_domain::{Error, Result};

use crate::engine::{FoldCache, read};
use crate::sheet::{CellKey, Facet, Fold, IdBits};

/// How many folds are held at a time: bounds memory, however many buckets there are.
const FOLDS_AT_ONCE: usize = 32;

/// How many rows inside buckets one answer may have.
const MAX_ROWS: usize = 200_000;

/// Whose events are folded.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ScopeFilter {
    /// Of everyone or of a tenant.
    pub scope: Scope,
    /// Of one environment of the tenant.
    pub env: Option<EnvId>,
}

impl ScopeFilter {
    /// The one tenant whose events they are, where it is one.
    pub fn tenant(self) -> Option<TenantId> {
        match self.scope {
            Scope::Everyone => None,
            Scope::Tenant(tenant) => Some(tenant),
        }
    }

    /// The same, to be folded with what this cache remembers.
    pub fn with(self, cache: Option<&FoldCache>) -> Folding<'_> {
        Folding { scope_filter: self, cache }
    }
}

/// Whose events are folded, and where folds are remembered.
#[derive(Clone, Copy)]
pub struct Folding<'a> {
    scope_filter: ScopeFilter,
    cache: Option<&'a FoldCache>,
}

impl Folding<'_> {
    /// Folds every bucket, in their order, and hands each fold on.
    pub fn each(
        self,
        tx: &mut dyn ReadTx,
        buckets: &[TimeRange],
        facets: &[Facet],
        mut each: impl FnMut(&mut dyn ReadTx, TimeRange, &Fold) -> Result<()>,
    ) -> Result<()> {
        let ScopeFilter { scope, env } = self.scope_filter;
        for some in buckets.chunks(FOLDS_AT_ONCE) {
            let folds = read::folds(tx, self.cache, scope, env, some, facets)?;
            for (bucket, fold) in some.iter().zip(&folds) {
                each(tx, *bucket, fold)?;
            }
        }
        Ok(())
    }

    /// Folds one range.
    pub fn fold(self, tx: &mut dyn ReadTx, range: TimeRange, facets: &[Facet]) -> Result<Arc<Fold>> {
        read::fold(tx, self.cache, self.scope_filter.scope, self.scope_filter.env, range, facets)
    }

    /// The cell of the active users in a fold of [`Facet::ActiveAll`].
    pub fn active_key(self) -> CellKey {
        read::active_key(self.scope_filter.env)
    }

    /// The distinct active users of a range.
    pub fn active(self, tx: &mut dyn ReadTx, range: TimeRange) -> Result<IdBits> {
        let fold = self.fold(tx, range, &[Facet::ActiveAll])?;
        Ok(fold.ids(self.active_key()).cloned().unwrap_or_default())
    }
}

/// Events and distinct ids over several folds of different events.
#[derive(Debug, Clone, Default)]
pub struct Tally {
    /// Events.
    pub count: u64,
    /// Distinct users or sources.
    pub ids: IdBits,
}

impl Tally {
    /// Adds one cell of a fold.
    pub fn add(&mut self, fold: &Fold, key: CellKey) {
        self.count += fold.cell(key).count;
        if let Some(ids) = fold.ids(key) {
            self.ids.unite(ids);
        }
    }

    /// How many distinct ids there are.
    pub fn distinct(&self) -> u64 {
        self.ids.len() as u64
    }
}

/// Counts the rows of an answer and refuses one that would have too many.
#[derive(Debug, Default)]
pub struct Rows(usize);

impl Rows {
    /// Adds `more` rows; the error names `granularity`.
    pub fn add(&mut self, more: usize) -> Result<()> {
        self.0 += more;
        if self.0 <= MAX_ROWS {
            return Ok(());
        }
        Err(Error::invalid(
            "granularity",
            format!(
                "gives an answer of more than {MAX_ROWS} rows inside its buckets; send a longer granularity, a shorter range or more filters"
            ),
        ))
    }
}
