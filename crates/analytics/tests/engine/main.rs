//! Answers of the engine against a recount of the events with ordinary maps and sets, on both databases.
#![expect(clippy::unwrap_used, clippy::indexing_slicing, reason = "a test that cannot go on should say where")]

mod damage;
mod folds;
mod questions;
mod recount;
mod remembered;
mod replaced;
mod world;
