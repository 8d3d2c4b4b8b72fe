//! Rules of retention: how long events are kept.

mod get;
mod list;
mod preview;
mod remove;
mod set;
mod view;

use crate::operation::{Declaration, operations};

/// The operations.
pub fn operations() -> Vec<Declaration> {
    operations![
        list::list_retention_rules,
        set::set_retention_rule,
        get::get_retention_rule,
        remove::remove_retention_rule,
        preview::preview_retention,
    ]
}
