//! Tenants: customers of the SaaS vendor.

mod json;

use crate::error::Result;
use crate::id::{CreationId, TenantId};
use crate::text;
use crate::time::Timestamp;

/// A customer of the SaaS vendor, as far as we were told.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Tenant {
    /// The vendor's id of it.
    pub id: TenantId,
    /// Its name, for people.
    pub name: Option<String>,
    /// When it came to be; this day counts it in `create_tenant`.
    pub created_at: Timestamp,
    /// When the record last changed.
    pub updated_at: Timestamp,
    /// Its entry among the counted creations, which outlives it.
    pub creation_id: CreationId,
}

/// What a caller says of a tenant: the whole record, as PUT replaces.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct TenantDraft {
    /// Its name.
    pub name: Option<String>,
    /// When it came to be; absent: unchanged, or now for a new one.
    pub created_at: Option<Timestamp>,
}

impl TenantDraft {
    /// Checks the fields.
    pub fn check(&self) -> Result<()> {
        self.name.as_deref().map_or(Ok(()), |name| text::checked("name", name, 256))
    }
}
