//! Questions about the events of a scope.
//!
//! A [`Query`] is a tree of conditions with numbers in place of names. Each operation answers it in one [`Segment`]
//! (a run, or sorted events in memory) by sets of positions. [`Sources`] answers it over all runs of a scope and its
//! waiting deltas, so that the answer does not depend on which events have been merged into runs.
//!
//! [`Segment`]: crate::segment::Segment

mod columns;
mod condition;
mod events;
mod hashed;
mod matching;
mod newest;
mod numbered;
mod ordered;
mod plan;
mod segments;
mod sources;
mod tally;
mod values;
mod waiting;
mod windows;

pub use columns::{Columns, columns};
pub use condition::{Condition, Query};
pub use events::SortedEvents;
pub use newest::{first_and_last, newest};
pub use numbered::{FirstStored, first_stored};
pub use segments::{Segments, Span};
pub use sources::Sources;
pub use tally::{count, distinct, histogram};
pub use values::Values;
pub use waiting::Waiting;
