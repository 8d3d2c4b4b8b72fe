//! The use cases, one file each. They contain all rules except the rules of analytics and access.

mod change;
mod change_attributes;
mod export_events;
mod find_directory;
mod find_events;
mod follow_events;
mod keep_memberships;
mod keep_retention;
mod keep_streams;
mod keep_tenants;
mod keep_users;
mod page_rule;
mod record_events;

pub use change::{Change, append};
pub use change_attributes::{AttributeUpdate, ChangeAttributes, change_attributes, user_by_email};
pub use export_events::{EventExport, ExportRange, RangeFields};
pub use find_directory::{
    VisibleChange, find_membership, find_tenant, find_user, list_attribute_changes, list_memberships, list_tenants,
    list_users,
};
pub use find_events::{count_events, count_users, event_histogram, find_event, list_events};
pub use follow_events::{FeedPage, FeedStart, follow_events, follow_events_within};
pub use keep_memberships::{correct_membership, delete_membership, put_membership};
pub use keep_retention::{
    find_legal_hold, find_retention_rule, lift_legal_hold, place_legal_hold, remove_retention_rule, set_retention_rule,
};
pub use keep_streams::{StreamLag, change_stream, create_stream, find_stream, stream_lag, stream_position};
pub use keep_tenants::{delete_tenant, put_tenant};
pub use keep_users::{delete_user, put_user};
pub use page_rule::{PageDifference, PageSetting, PageSettings, settle_page_rule};
pub use record_events::{PendingBatch, RecordStatus, Recorded, record_events};

/// The effect of a PUT.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Put {
    /// It created a record that did not exist.
    Created,
    /// It replaced an existing record.
    Replaced,
}
