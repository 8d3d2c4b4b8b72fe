//! API tokens: the credentials of programs.

mod change;
mod create;
mod get;
mod list;
mod revoke;
mod view;

use crate::operation::{Declaration, operations};

/// The operations.
pub fn operations() -> Vec<Declaration> {
    operations![list::list_tokens, create::create_token, get::get_token, change::change_token, revoke::revoke_token,]
}
