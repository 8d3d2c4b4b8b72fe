//! The engine: it merges deltas into sheets, and folds sheets, deltas and events to answers.
//!
//! A store writes a delta together with new events. [`merger`] merges deltas, [`read`] folds what is stored, [`rebuild`]
//! makes all sheets from the events again, and [`verify`] compares sheets with events. [`old_deltas`] merges what an older
//! version left. `docs/sheets.md` describes the model.

mod audience;
mod buckets;
mod delta;
mod fold_cache;
mod lease;
mod long;
mod merge;
pub mod merger;
pub mod old_deltas;
pub mod postings;
mod progress;
pub mod read;
pub mod rebuild;
pub mod retention;
mod tenants;
pub mod verify;

use chrono::{DateTime, Utc};
use trailkeeper_domain::Error;
use trailkeeper_domain::error::Context;
use trailkeeper_domain::id::TenantId;
use trailkeeper_domain::ports::SheetKey;
use trailkeeper_domain::scope::{Part, Scope};
use trailkeeper_domain::time::{MAX_UNIX_SECONDS, TimeRange, Timestamp, rfc3339};

pub use audience::{Audience, EachTenant};
pub use fold_cache::FoldCache;
pub use lease::OwnLeases;
pub use progress::Progress;
pub use tenants::{TenantCells, per_tenant, tenants_with_events};

/// The start of the year 1, long before any event: the databases take no times as early as chrono's first one.
const EARLIEST: Timestamp = match DateTime::from_timestamp(-62_135_596_800, 0) {
    Some(at) => at,
    None => DateTime::<Utc>::MIN_UTC,
};

/// The end of the year 9999, after any event.
const LATEST: Timestamp = match DateTime::from_timestamp(MAX_UNIX_SECONDS + 1, 0) {
    Some(at) => at,
    None => DateTime::<Utc>::MAX_UTC,
};

/// All times.
const ALL: TimeRange = TimeRange { start: EARLIEST, end: LATEST };

/// Whether events of this scope are counted. Those of the system tenant are not: operators are not customers, and the
/// system tenant's id is the database key of everyone's sheets.
pub fn is_counted(scope: Scope) -> bool {
    scope != Scope::Tenant(TenantId::SYSTEM)
}

/// Adds the row to an internal error. Other errors are not about a row and stay as they are.
pub(crate) fn in_row(error: Error, row: impl FnOnce() -> String) -> Error {
    match error {
        Error::Internal { cause } => Error::internal(Context::new(row(), cause)),
        other => other,
    }
}

/// The description of a sheet's row for operators.
pub(crate) fn sheet_row(key: SheetKey) -> String {
    let SheetKey { scope, level, part, start, run } = key;
    let part = match part {
        Part::Totals => "totals",
        Part::Pages => "pages",
    };
    format!("sheet of {}, {} {}, {part}, run {run}", scope_name(scope), level.as_str(), rfc3339(start))
}

/// The description of a scope for operators.
pub(crate) fn scope_name(scope: Scope) -> String {
    match scope {
        Scope::Everyone => "everyone".to_owned(),
        Scope::Tenant(tenant) => format!("tenant {tenant}"),
    }
}
