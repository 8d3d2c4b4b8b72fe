//! Events in and out.

mod batch;
pub mod get;
mod input;
pub mod list;
pub mod record;
pub mod view;

use crate::operation::{Declaration, operations};

/// The operations.
pub fn operations() -> Vec<Declaration> {
    operations![record::record_events, list::list_events, get::get_event]
}
