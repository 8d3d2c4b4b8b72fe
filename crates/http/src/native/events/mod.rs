//! Events in and out.

pub mod batch;
mod conditions;
mod count;
mod distinct_users;
mod export;
mod feed;
pub mod get;
mod histogram;
mod input;
pub mod list;
pub mod record;
pub mod view;

use crate::operation::{Declaration, operations};

/// The operations.
pub fn operations() -> Vec<Declaration> {
    operations![
        record::record_events,
        list::list_events,
        count::count_events,
        histogram::get_event_histogram,
        distinct_users::count_distinct_users,
        feed::get::get_event_feed,
        feed::stream::stream_events,
        export::get::export_events,
        get::get_event,
    ]
}
