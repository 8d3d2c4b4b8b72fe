//! Test helpers: a clock that tests move, repeatable randomness, records with sensible fields, temporary databases, a
//! store that fails on request of a test, and a proxy that breaks the way to PostgreSQL.
//!
//! All helpers panic if a test cannot continue, so that the test fails.
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
mod fault_proxy;
mod faulty_store;
mod on_both;
pub mod visibility;
mod workload;
mod world;

pub use builders::{
    account, all_events, all_users, at, day, event, membership, metadata_of, tenant, tenant_id, user, user_id, uuid,
};
pub use clock::TestClock;
pub use databases::{DatabaseKind, TempDatabase, buckets_of_tests, run_on_postgres};
pub use entropy::TestEntropy;
pub use fault_proxy::{FaultProxy, ProxyCounts, ProxyMode};
pub use faulty_store::{Call, Fault, FaultyStore};
pub use workload::Workload;
pub use world::World;
