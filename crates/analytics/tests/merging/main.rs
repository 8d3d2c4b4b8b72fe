//! Merging, rebuilding and verifying on both databases.
#![expect(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    clippy::panic,
    reason = "a test that cannot go on should say where"
)]

mod background;
mod counts;
mod differences;
mod failures;
mod histories;
mod index;
mod long;
mod old_deltas;
mod rebuilds;
mod retention;
mod world;
