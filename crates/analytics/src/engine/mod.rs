//! The engine: from events to deltas, and from sheets, deltas and events to answers.
//!
//! [`Summary`] makes the deltas that a store keeps beside new events, [`delta`] is their form, and [`read`] folds what
//! is stored into answers. The model is told in `docs/sheets.md`.

mod audience;
pub mod delta;
mod fold_cache;
mod merge;
pub mod merger;
mod progress;
pub mod read;
pub mod rebuild;
mod summary;
mod tenants;
pub mod verify;

use trailkeeper_domain::Error;
use trailkeeper_domain::error::Context;
use trailkeeper_domain::id::TenantId;
use trailkeeper_domain::ports::{DeltaKey, SheetKey};
use trailkeeper_domain::scope::{Part, Scope};
use trailkeeper_domain::time::rfc3339;

pub use audience::{Audience, EachTenant};
pub use fold_cache::FoldCache;
pub use progress::Progress;
pub use summary::Summary;
pub use tenants::{TenantCells, per_tenant};

/// Whether anything is counted for this scope. Nothing is for the system tenant: operators are not customers, and its
/// id is the key under which a database keeps everyone.
pub fn is_counted(scope: Scope) -> bool {
    scope != Scope::Tenant(TenantId::SYSTEM)
}

/// An internal error, with the row that it is about in front. Other errors are about no row and stay as they are.
pub(crate) fn in_row(error: Error, row: impl FnOnce() -> String) -> Error {
    match error {
        Error::Internal { cause } => Error::internal(Context::new(row(), cause)),
        other => other,
    }
}

/// The row of a sheet, for operators.
pub(crate) fn sheet_row(key: SheetKey) -> String {
    let SheetKey { scope, level, part, start, run } = key;
    let part = match part {
        Part::Totals => "totals",
        Part::Pages => "pages",
    };
    format!("sheet of {}, {} {}, {part}, run {run}", scope_name(scope), level.as_str(), rfc3339(start))
}

/// The row of a delta, for operators.
pub(crate) fn delta_row(key: DeltaKey) -> String {
    format!("delta {} of {}", key.seq, scope_name(key.scope))
}

/// A scope in words.
pub(crate) fn scope_name(scope: Scope) -> String {
    match scope {
        Scope::Everyone => "everyone".to_owned(),
        Scope::Tenant(tenant) => format!("tenant {tenant}"),
    }
}
