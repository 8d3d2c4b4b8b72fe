//! Compares answers of the engine with a recount of the events by ordinary maps and sets, on both databases.
#![expect(clippy::unwrap_used, clippy::indexing_slicing, reason = "a test that cannot go on should say where")]

mod cached;
mod damage;
mod folds;
mod questions;
mod recount;
mod replaced;
mod world;
