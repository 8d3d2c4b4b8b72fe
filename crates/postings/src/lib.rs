//! The index of events. It is derived from the rows, and can be made of them again.
//!
//! A transaction that stores events stores their columns with them, as a *delta*. A merger turns waiting deltas into
//! *runs*: for one scope (a tenant, or everyone) and one month, the events in the order of lists, a posting list per
//! dimension and value, and columns. Lists, counts and histograms of any combination of conditions are intersections of
//! posting lists inside the runs of one scope, and a scan of the waiting deltas. The rows of a list are read at the end,
//! by their numbers.
//!
//! This crate is pure: it knows bytes and pages, and no database. The store reads and writes them.

pub mod bits;
pub mod delta;
pub mod dimension;
pub mod outcome;
pub mod page_source;
pub mod positions;
pub mod query;
pub mod run;
pub mod segment;
pub mod value;
