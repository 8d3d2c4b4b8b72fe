//! Each extent of [`Visibility`], for tests of lists and questions. A server takes it from `Principal::visibility`.
#![expect(clippy::disallowed_methods, reason = "a test stands for the embedding program")]

use trailkeeper_domain::id::TenantId;
use trailkeeper_domain::visibility::Visibility;

/// All tenants, the system tenant included.
pub const EVERYTHING: Visibility = Visibility::unrestricted();

/// All tenants but the system tenant.
pub const CUSTOMERS: Visibility = Visibility::customers();

/// Only this tenant.
pub fn of_tenant(tenant: TenantId) -> Visibility {
    Visibility::of_tenant(tenant)
}
