//! Reads whole periods of many tenants, each on its own: from the counts of all tenants where a period has them, else by
//! one walk over sheets and deltas in the order of the database.

mod cells;
mod counted;
mod events;
mod sheets;
mod waiting;

pub use cells::TenantCells;
pub use counted::{counts_of, per_tenant};
pub use events::tenants_with_events;
