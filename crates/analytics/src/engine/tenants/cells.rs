//! The cells that are read, and their receiver.

use trailkeeper_domain::Result;
use trailkeeper_domain::id::TenantId;
use trailkeeper_domain::ports::Scopes;
use trailkeeper_domain::scope::Level;
use trailkeeper_domain::time::{TimeRange, Timestamp};

use crate::sheet::{CellKey, Facet, Fold, Folded};

/// A tenant and the start of a period.
pub type TenantPeriod = (TenantId, Timestamp);

/// Takes a cell of a tenant and a period, which is given by its start.
pub type Each<'a> = &'a mut dyn FnMut(TenantId, Timestamp, Folded) -> Result<()>;

/// The cells and periods that [`per_tenant`](super::per_tenant) reads.
#[derive(Debug, Clone, Copy)]
pub struct TenantCells {
    /// One tenant, or every tenant.
    pub scopes: Scopes,
    /// Days or months: tenants have no sheets of hours.
    pub level: Level,
    /// The range in which the periods begin; its ends are boundaries of the level.
    pub starts: TimeRange,
    /// The facet: one of the totals.
    pub facet: Facet,
    /// The only cell of the facet that is read; `None` reads all cells.
    pub only: Option<u64>,
}

impl TenantCells {
    /// A fold of these cells.
    pub fn empty_fold(&self) -> Fold {
        let fold = Fold::new(&[self.facet]);
        match self.only {
            Some(id) => fold.only(CellKey::new(self.facet, id)),
            None => fold,
        }
    }
}

/// Passes the cells of a tenant and a period on.
pub fn show((tenant, start): TenantPeriod, cells: &[Folded], each: Each<'_>) -> Result<()> {
    cells.iter().try_for_each(|cell| each(tenant, start, *cell))
}
