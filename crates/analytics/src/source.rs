//! Where answers come from.

use trailkeeper_domain::ports::Store;

use crate::engine::FoldCache;

/// The database that a question is asked of, and what is remembered of earlier questions.
#[derive(Clone, Copy)]
pub struct Source<'a> {
    /// The database.
    pub store: &'a dyn Store,
    /// Folds of this database's sheets. Without it each question reads and folds them anew; the answers are the same.
    pub folds: Option<&'a FoldCache>,
}

impl<'a> Source<'a> {
    /// A database of which nothing is remembered.
    pub fn of(store: &'a dyn Store) -> Self {
        Self { store, folds: None }
    }
}
