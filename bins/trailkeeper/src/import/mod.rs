//! Imports files into the database, compressed with gzip, zstd or not; `-` is standard input.

mod access_log;
mod auth_log;
mod batch;
mod directory;
mod events;
mod follow;
mod identity;
mod line_ids;
mod occurrences;
mod old_rule;
mod source;
mod summary;

pub use access_log::import_access_log;
pub use auth_log::{AuthLogTimes, import_auth_log};
pub use batch::Recording;
pub use directory::{import_memberships, import_tenants, import_users};
pub use events::import_events;
pub use follow::{Following, follow_access_log};
pub use identity::import_records;
pub use source::Source;
pub use summary::Summary;
