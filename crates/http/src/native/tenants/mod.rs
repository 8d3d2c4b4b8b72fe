//! Tenants' records.

mod delete;
mod get;
mod list;
mod put;
mod view;

pub use get::TenantPath;

use crate::operation::{Declaration, operations};

/// The operations.
pub fn operations() -> Vec<Declaration> {
    operations![list::list_tenants, put::put_tenant, get::get_tenant, delete::delete_tenant]
}
