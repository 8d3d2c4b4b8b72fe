//! Users' records, and the history of their attributes.

mod attribute_changes;
mod delete;
pub mod get;
mod list;
mod put;
mod view;

use crate::operation::{Declaration, operations};

/// The operations.
pub fn operations() -> Vec<Declaration> {
    operations![
        list::list_users,
        put::put_user,
        get::get_user,
        delete::delete_user,
        attribute_changes::list_attribute_changes,
    ]
}
