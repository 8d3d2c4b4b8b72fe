//! Imports files into the database: one record per line, compressed with gzip or not; `-` is standard input.

mod access_log;
mod batch;
mod directory;
mod events;
mod source;
mod summary;

pub use access_log::import_access_log;
pub use batch::Recording;
pub use directory::{import_memberships, import_tenants, import_users};
pub use events::import_events;
pub use source::Source;
pub use summary::Summary;
