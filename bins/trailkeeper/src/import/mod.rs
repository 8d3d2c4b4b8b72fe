//! Imports files into the database, compressed with gzip or not; `-` is standard input.

mod access_log;
mod auth_log;
mod batch;
mod directory;
mod events;
mod identity;
mod occurrences;
mod source;
mod summary;

pub use access_log::import_access_log;
pub use auth_log::{AuthLogTimes, import_auth_log};
pub use batch::Recording;
pub use directory::{import_memberships, import_tenants, import_users};
pub use events::import_events;
pub use identity::import_records;
pub use source::Source;
pub use summary::Summary;
