//! Memberships: which users belong to which tenant.

mod delete;
mod get;
mod list;
mod put;
mod view;

use crate::operation::{Declaration, operations};

/// The operations.
pub fn operations() -> Vec<Declaration> {
    operations![list::list_memberships, put::put_membership, get::get_membership, delete::delete_membership]
}
