//! Merging, rebuilding and checking on real databases.
#![expect(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    clippy::panic,
    reason = "a test that cannot go on should say where"
)]

/// One test per case and database.
macro_rules! on_both {
    ($($case:ident),* $(,)?) => {
        mod sqlite {
            $(#[test] fn $case() { super::$case(&$crate::world::World::new(trailkeeper_testkit::DatabaseKind::Sqlite)); })*
        }
        mod postgres {
            $(#[test] fn $case() { super::$case(&$crate::world::World::new(trailkeeper_testkit::DatabaseKind::Postgres)); })*
        }
    };
}

mod background;
mod differences;
mod failures;
mod histories;
mod rebuilds;
mod stores;
mod world;
