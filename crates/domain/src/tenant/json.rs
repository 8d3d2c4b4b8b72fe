//! Tenants' records as JSON, in one place for `PUT /v1/tenants/{tenant_id}` and `import tenants`.

use crate::error::Result;
use crate::json::{A_TIME, JsonObject};
use crate::tenant::TenantDraft;
use crate::time;

impl TenantDraft {
    /// The fields of a record, in the order of the documentation.
    pub const FIELDS: [&str; 2] = ["name", "created_at"];

    /// Takes the record's fields out of an object. The object may have other fields, so the caller takes those and
    /// calls [`JsonObject::finish`].
    pub fn take_from(json: &mut JsonObject) -> Result<Self> {
        Ok(Self {
            name: json.text("name", "the tenant's name in quotes")?,
            created_at: json.parsed("created_at", A_TIME, time::parse_rfc3339)?,
        })
    }
}
