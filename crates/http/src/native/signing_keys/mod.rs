//! Signing keys: SaaSus clients sign their requests with them.

mod change;
mod create;
mod get;
mod list;
mod revoke;
mod view;

use crate::operation::{Declaration, operations};

/// The operations.
pub fn operations() -> Vec<Declaration> {
    operations![
        list::list_signing_keys,
        create::create_signing_key,
        get::get_signing_key,
        change::change_signing_key,
        revoke::revoke_signing_key,
    ]
}
