//! Forwarding streams: standing orders to send events elsewhere.

mod change;
mod create;
mod delete;
mod filter;
mod get;
mod list;
mod rotate_secret;
mod test;
mod view;

use crate::operation::{Declaration, operations};

/// The operations.
pub fn operations() -> Vec<Declaration> {
    operations![
        list::list_streams,
        create::create_stream,
        get::get_stream,
        change::change_stream,
        delete::delete_stream,
        rotate_secret::rotate_stream_secret,
        test::test_stream,
    ]
}
