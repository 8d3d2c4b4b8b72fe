//! Exports into files: `trailkeeper export`.

mod directory;
mod events;
mod layout;
mod manifest;
mod target;

pub use directory::{Exported, export_memberships, export_tenants, export_users};
pub use events::{Chosen, export_events};
pub use layout::Layout;
