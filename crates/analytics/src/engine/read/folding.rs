//! What sheets and events are folded to: with the ids of the result, or only its numbers.

use std::sync::Arc;

use trailkeeper_domain::scope::ScopeKind;

use crate::engine::fold_cache::Kept;
use crate::sheet::{CodecError, Facet, Fact, Fold, Numbers, Sheet};

/// A fold of sheets and events.
pub trait Folding: Clone + Send + Sync + Sized {
    /// Whether it has only numbers.
    const NUMBERS: bool;

    /// The fold of nothing, with the choice of cells of this one.
    fn of(empty: Fold) -> Self;
    /// The fold that has its choice of cells.
    fn chosen(&self) -> &Fold;
    /// The fold of nothing, with the same choice of cells.
    #[must_use]
    fn emptied(&self) -> Self {
        Self::of(self.chosen().emptied())
    }
    /// The cells that are folded: [`Fold::choice`].
    fn choice(&self) -> impl Iterator<Item = (Facet, Option<u64>)> + '_ {
        self.chosen().choice()
    }
    /// Whether the sets of the next sheet are decoded.
    fn decodes(&self) -> bool;
    /// Adds an encoded sheet of other events.
    fn add(&mut self, payload: &[u8]) -> Result<(), CodecError>;
    /// Adds a decoded sheet of other events.
    fn add_sheet(&mut self, sheet: &Sheet) -> Result<(), CodecError>;
    /// Counts one more event.
    fn count(&mut self, fact: &Fact, scope: ScopeKind) -> Result<(), CodecError>;
    /// Adds a fold of other events with the same choice of cells.
    fn unite(&mut self, other: Self) -> Result<(), CodecError>;
    /// The fold as the cache keeps it.
    fn kept(fold: &Arc<Self>) -> Kept;
    /// The fold that the cache kept, if it is of this type.
    fn of_kept(kept: &Kept) -> Option<Arc<Self>>;
}

impl Folding for Fold {
    const NUMBERS: bool = false;

    fn of(empty: Fold) -> Self {
        empty
    }

    fn chosen(&self) -> &Fold {
        self
    }

    fn decodes(&self) -> bool {
        true
    }

    fn add(&mut self, payload: &[u8]) -> Result<(), CodecError> {
        self.add(payload)
    }

    fn add_sheet(&mut self, sheet: &Sheet) -> Result<(), CodecError> {
        self.add_sheet(sheet);
        Ok(())
    }

    fn count(&mut self, fact: &Fact, scope: ScopeKind) -> Result<(), CodecError> {
        self.count(fact, scope);
        Ok(())
    }

    fn unite(&mut self, other: Self) -> Result<(), CodecError> {
        self.unite(other);
        Ok(())
    }

    fn kept(fold: &Arc<Self>) -> Kept {
        Kept::Fold(Arc::clone(fold))
    }

    fn of_kept(kept: &Kept) -> Option<Arc<Self>> {
        match kept {
            Kept::Fold(fold) => Some(Arc::clone(fold)),
            Kept::Numbers(_) => None,
        }
    }
}

impl Folding for Numbers {
    const NUMBERS: bool = true;

    fn of(empty: Fold) -> Self {
        Self::of(empty)
    }

    fn chosen(&self) -> &Fold {
        self.fold()
    }

    fn decodes(&self) -> bool {
        !self.is_empty()
    }

    fn add(&mut self, payload: &[u8]) -> Result<(), CodecError> {
        self.add(payload)
    }

    fn add_sheet(&mut self, sheet: &Sheet) -> Result<(), CodecError> {
        self.add_sheet(sheet)
    }

    fn count(&mut self, fact: &Fact, scope: ScopeKind) -> Result<(), CodecError> {
        self.count(fact, scope)
    }

    fn unite(&mut self, other: Self) -> Result<(), CodecError> {
        self.unite(other)
    }

    fn kept(fold: &Arc<Self>) -> Kept {
        Kept::Numbers(Arc::clone(fold))
    }

    fn of_kept(kept: &Kept) -> Option<Arc<Self>> {
        match kept {
            Kept::Fold(_) => None,
            Kept::Numbers(numbers) => Some(Arc::clone(numbers)),
        }
    }
}
