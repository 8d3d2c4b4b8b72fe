//! Retention: removes the events that are older than the rules keep them, and the sheets that count them.
//!
//! ```text
//! lease ─► merge ─► ┌ one transaction per step ─────────────────┐ ─► one transaction per scope and month ─► …
//!                   │ holds and rules are still those of the    │    sheets that are not kept longer are
//!                   │ plan; rows away; removed positions;       │    counted again from the events that
//!                   │ sheets of the removed events              │    are left
//!                   └───────────────────────────────────────────┘
//! ```
//!
//! A step takes rows in the order of storage. What its rows counted goes to the **sheets of removed events**, which lie in
//! generations below 0. So at any moment `sheets = sheets of the rows + sheets of removed events`, whatever was interrupted:
//! a verification compares this, and a rebuild makes it. Questions read the same sheets as before. When sheets are not to be
//! kept any longer, those of a scope and month are counted again without them.

mod kept;
mod positions;
mod preview;
mod release;
mod remove;
mod selection;
mod step;

use chrono::TimeDelta;

pub use kept::{check_edges, sheets_of_removed};
pub use preview::{Preview, preview};
pub use remove::{Removal, Removed, remove, remove_in_background, waits_until};

/// How long a rule must be unchanged before it removes events. Servers accept no events by rules that are older than half
/// a minute, so none of them accepts again what is removed.
pub const SETTLED_AFTER: TimeDelta = TimeDelta::seconds(60);
