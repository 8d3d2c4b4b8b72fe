//! Tenants: customers of the SaaS vendor.

mod json;

use crate::error::Result;
use crate::id::{CreationId, TenantId};
use crate::text;
use crate::time::Timestamp;

/// The record of a tenant, a customer of the SaaS vendor, with the data that callers sent.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Tenant {
    /// The id, which the vendor assigns.
    pub id: TenantId,
    /// The name, for people.
    pub name: Option<String>,
    /// The time of creation. The tenant counts in `create_tenant` on this day.
    pub created_at: Timestamp,
    /// The time of the last change of the record.
    pub updated_at: Timestamp,
    /// The id of its entry in the ledger of creations. The entry stays when the record is removed.
    pub creation_id: CreationId,
}

/// A tenant's record as a caller sends it: always the whole record, because PUT replaces it.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct TenantDraft {
    /// The name, for people.
    pub name: Option<String>,
    /// The time of creation. If absent, it stays unchanged, or is now for a new tenant.
    pub created_at: Option<Timestamp>,
}

impl TenantDraft {
    /// Checks the fields: a name has 1 to 256 characters and no control character.
    pub fn check(&self) -> Result<()> {
        self.name.as_deref().map_or(Ok(()), |name| text::checked("name", name, 256))
    }
}
