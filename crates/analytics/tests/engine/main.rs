//! Answers of the engine against a recount of the events with ordinary maps and sets, on both databases.
#![expect(clippy::unwrap_used, clippy::indexing_slicing, reason = "a test that cannot go on should say where")]

/// One test per case and database.
macro_rules! on_both {
    ($($case:ident),* $(,)?) => {
        mod sqlite {
            use trailkeeper_testkit::DatabaseKind;

            $(#[test] fn $case() { super::$case(&mut $crate::world::World::with_history(DatabaseKind::Sqlite)); })*
        }
        mod postgres {
            use trailkeeper_testkit::DatabaseKind;

            $(#[test] fn $case() { super::$case(&mut $crate::world::World::with_history(DatabaseKind::Postgres)); })*
        }
    };
}

mod damage;
mod folds;
mod questions;
mod recount;
mod remembered;
mod replaced;
mod world;
