//! Sessions: logging in and out, and what people and administrators see of sessions.

mod end;
mod end_others;
mod get;
mod list;
mod log_in;
mod log_out;
mod refresh;
mod tokens_view;
mod view;

use crate::operation::{Declaration, operations};

/// The operations. Fixed names come before the ids, because the router would take them for ids.
pub fn operations() -> Vec<Declaration> {
    operations![
        log_in::log_in,
        list::list_sessions,
        end_others::end_other_sessions,
        refresh::refresh_session,
        log_out::log_out,
        get::get_session,
        end::end_session,
    ]
}
