//! For tests: a clock that only moves when it is told to, randomness that repeats, records with sensible fields, and
//! databases that are gone afterwards.
//!
//! Everything here panics where a test could not go on: a failed test is what is wanted then.
#![expect(
    clippy::expect_used,
    clippy::panic,
    clippy::missing_panics_doc,
    reason = "a test that cannot be prepared must fail, and say why"
)]

mod builders;
mod clock;
mod databases;
mod entropy;
pub mod visibility;
mod workload;

pub use builders::{
    account, all_events, all_users, at, day, event, membership, tenant, tenant_id, user, user_id, uuid,
};
pub use clock::TestClock;
pub use databases::{DatabaseKind, TempDatabase, run_on_postgres};
pub use entropy::TestEntropy;
pub use workload::Workload;
