//! Accounts: administrators manage them, and people manage their own.

mod change;
mod create;
mod delete;
mod get;
mod list;
mod own;
mod own_password;
pub mod view;

use crate::operation::{Declaration, operations};

/// The operations. `me` comes before the ids, because the router would take it for one.
pub fn operations() -> Vec<Declaration> {
    operations![
        list::list_accounts,
        create::create_account,
        own::get_own_account,
        own_password::change_own_password,
        get::get_account,
        change::change_account,
        delete::delete_account,
    ]
}
