//! Test doubles and short values for the unit tests of this crate. Tests of other crates have `trailkeeper-testkit`, which
//! depends on this crate and so cannot serve its unit tests.

mod memory_store;
mod unused_ports;
mod values;
mod world;

pub use memory_store::MemoryStore;
pub use values::{
    CUSTOMERS, EVERYTHING, at, code_and_field, event, event_of, of_tenant, tenant_id, tenant_in, user_id, uuid,
};
pub use world::{World, context};
