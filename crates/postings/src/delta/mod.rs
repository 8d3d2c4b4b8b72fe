//! Deltas: the columns of the events that one transaction stored, until they are merged.
//!
//! A delta has a section for each tenant. The columns are packed with one width for all sections, so that every value is
//! read on its own, and a reader of one tenant skips the other sections. `docs/sheets.md` describes the format byte for
//! byte.

mod column;
mod counted;
mod format;
mod numbers;
mod read;
mod times;
mod write;

pub use column::{Values, Written};
pub use counted::{Counted, CountedEvents};
pub use numbers::{put_numbers, read_numbers};
pub use read::{Delta, Section};
pub use write::encode;
