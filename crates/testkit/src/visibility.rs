//! All variants of [`Visibility`], for tests of lists and questions. A server takes it from `Principal::visibility`.
#![expect(clippy::disallowed_methods, reason = "a test stands for the embedding program")]

use trailkeeper_domain::id::TenantId;
use trailkeeper_domain::visibility::Visibility;

/// The visibility of all tenants, the system tenant included.
pub const EVERYTHING: Visibility = Visibility::unrestricted();

/// The visibility of all tenants but the system tenant.
pub const CUSTOMERS: Visibility = Visibility::customers();

/// The visibility of this tenant only.
pub fn of_tenant(tenant: TenantId) -> Visibility {
    Visibility::of_tenant(tenant)
}
