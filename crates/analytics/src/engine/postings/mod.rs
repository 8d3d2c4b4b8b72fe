//! The index of events as the engine makes it: its runs are built, merged by size and written under the lease.
//!
//! ```text
//! events ─► new run ─► absorbs older runs of the scope and month, by size ─► its pages, in steps ─► one transaction:
//!                                                                            nobody sees them       the run is visible,
//!                                                                                                   the older ones are not
//! ```

mod build;
mod compact;
mod group;
mod made;
mod merged;
mod source;
#[cfg(test)]
mod tests;
mod tiers;
mod write;

use trailkeeper_domain::ports::PostingRunKey;
use trailkeeper_domain::time::rfc3339;

pub use build::PostingsBuilder;
pub use compact::compact;
pub use group::{ABSORBED, NewRuns};
pub use made::MadeRun;
pub use source::{HeldPages, StoredPages};
pub use tiers::{Place, SizedRun, absorbed_by, by_place, next_number};
pub use write::{RunWriter, WrittenRuns, remove_replaced_pages, sweep_pages};

use super::scope_name;

/// The description of a run for operators.
pub(crate) fn run_name(key: PostingRunKey) -> String {
    let PostingRunKey { scope, month, run } = key;
    format!("posting run {run} of {}, month {}", scope_name(scope), rfc3339(month))
}
