//! The metadata of audit events about changed and new records.

use serde_json::{Map, Value, json};
use trailkeeper_domain::account::Role;
use trailkeeper_domain::id::TenantId;

/// The fields that an action changed, each with its old and its new value.
#[derive(Default)]
pub(crate) struct Changes(Map<String, Value>);

impl Changes {
    /// Notes the field if its value changed. Must never be called with a password, a token or another secret.
    pub(crate) fn note<T: Into<Value>>(&mut self, field: &str, from: T, to: T) {
        let (from, to) = (from.into(), to.into());
        if from != to {
            self.0.insert(field.to_owned(), json!({ "from": from, "to": to }));
        }
    }

    /// Whether nothing changed.
    pub(crate) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// The event's metadata: `changed` lists the names of the fields; each field is an entry `{"from":…,"to":…}`.
    pub(crate) fn into_metadata(self) -> Map<String, Value> {
        let names: Vec<_> = self.0.keys().cloned().collect();
        let mut metadata = self.0;
        metadata.insert("changed".to_owned(), names.into());
        metadata
    }
}

/// The metadata of the event about a new or a deleted credential: its role, if it has one, and its tenant.
pub(crate) fn credential_metadata(role: Option<Role>, tenant_id: Option<TenantId>) -> Map<String, Value> {
    let role = role.map(|role| ("role".to_owned(), role.as_str().into()));
    let tenant = ("tenant_id".to_owned(), tenant_id.map(|id| id.to_string()).into());
    role.into_iter().chain([tenant]).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_fields_whose_value_changed_are_listed() {
        let mut changes = Changes::default();
        changes.note("name", "importer", "importer");
        assert!(changes.is_empty());
        changes.note("role", "ingest", "admin");
        changes.note("tenant_id", Some("t1"), None);
        let expected = json!({
            "changed": ["role", "tenant_id"],
            "role": { "from": "ingest", "to": "admin" },
            "tenant_id": { "from": "t1", "to": null },
        });
        assert_eq!(Value::from(changes.into_metadata()), expected);
    }
}
