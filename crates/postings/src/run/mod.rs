//! Runs: the events of one scope and month in the order of lists, with a posting list per dimension and value, and
//! columns. `docs/sheets.md` describes the bytes.
//!
//! A run is a header and pages, which lie in a database. [`RunBuilder`] makes it of events, [`merge_runs`] of other runs,
//! and both write the same bytes for the same events. [`RunReader`] answers queries as a
//! [`Segment`](crate::segment::Segment). Reading never panics, and an answer never allocates more than
//! 8 bytes per event of the largest run and dimension, whatever the bytes are.

mod builder;
mod chunk;
mod collect;
mod column_page;
mod events;
mod flaw;
mod format;
mod header;
mod key;
mod key_page;
mod list_page;
mod lists;
mod merge;
mod pages;
mod reader;
mod removed;
mod writer;

pub use builder::RunBuilder;
pub use format::MAX_EVENTS;
pub use merge::{MergedRun, merge_runs};
pub use reader::{Part, RunReader};
pub use removed::{decode_removed, encode_removed};
pub use writer::PageSink;
