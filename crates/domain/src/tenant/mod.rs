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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::json::JsonObject;
    use crate::testing::{at, code_and_field};

    fn named(name: &str) -> TenantDraft {
        TenantDraft { name: Some(name.to_owned()), created_at: None }
    }

    #[test]
    fn a_name_has_up_to_256_characters_and_no_control_character() {
        for good in ["A", "Käse & Söhne", &"木".repeat(256)] {
            assert!(named(good).check().is_ok(), "{good}");
        }
        assert!(TenantDraft::default().check().is_ok(), "a name is optional");
        for bad in ["", "a\tb", &"木".repeat(257)] {
            let error = named(bad).check().unwrap_err();
            assert_eq!(code_and_field(&error), ("invalid_parameter", Some("name")), "{bad:?}");
        }
    }

    #[test]
    fn a_record_is_read_from_json_field_by_field() {
        let read = |json: &str| TenantDraft::take_from(&mut JsonObject::parse("a tenant", json.as_bytes()).unwrap());
        let full = read(r#"{"name":"Acme","created_at":"2026-01-15T09:30:00+09:00"}"#).unwrap();
        assert_eq!(full, TenantDraft { name: Some("Acme".to_owned()), created_at: Some(at("2026-01-15T00:30:00Z")) });
        assert_eq!(read("{}").unwrap(), TenantDraft::default());
        assert_eq!(read(r#"{"name":null,"created_at":null}"#).unwrap(), TenantDraft::default());
        for (json, field) in [(r#"{"name":7}"#, "name"), (r#"{"created_at":"yesterday"}"#, "created_at")] {
            assert_eq!(read(json).unwrap_err().detail().unwrap().field.as_deref(), Some(field));
        }
    }
}
