//! Runs against brute force over their events, and against bytes that are no runs.
#![expect(clippy::unwrap_used, clippy::indexing_slicing, reason = "a test fails by panicking, helpers included")]

mod damage;
mod histories;
mod merging;
mod reading;
mod sizes;
mod stored;
