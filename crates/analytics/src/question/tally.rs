//! Sums over several buckets, and the limit for the rows of an answer.

use trailkeeper_domain::{Error, Result};

use crate::sheet::{CellKey, Fold, IdBits};

/// The most rows that the buckets of one answer may have together.
const MAX_ROWS: usize = 200_000;

/// Events and distinct ids over several folds of different events.
#[derive(Debug, Clone, Default)]
pub struct Tally {
    /// The number of events.
    pub count: u64,
    /// The distinct users or sources.
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

    /// The number of distinct ids.
    pub fn distinct(&self) -> u64 {
        self.ids.len() as u64
    }
}

/// Counts the rows of an answer and rejects an answer with too many.
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
