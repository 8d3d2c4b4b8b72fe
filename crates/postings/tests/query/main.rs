//! Queries, compared with a scan of all events.
#![expect(clippy::expect_used, clippy::indexing_slicing, reason = "a test fails by panicking, helpers included")]

mod events;
mod operations;
mod plans;
mod waiting;
mod world;
