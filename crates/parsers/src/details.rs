//! The metadata of a foreign record: the fields that have no field of their own in an event.

use std::collections::BTreeSet;

use serde_json::Value;
use trailkeeper_domain::Result;
use trailkeeper_domain::event::{EventDraft, MAX_METADATA_BYTES, Metadata, Outcome, Warning};
use trailkeeper_domain::json::{JsonObject, JsonValue, repaired};

/// The room that entries leave: numbers count towards the limit of all metadata as they are without an exponent.
const SPARE: usize = 1024;

/// Fields that go into the metadata. An entry that would exceed the limit is left out, so that it does not cost the event
/// the others.
#[derive(Debug, Default)]
pub struct Details {
    json: String,
    names: BTreeSet<String>,
    warnings: Vec<Warning>,
}

impl Details {
    /// Moves the fields `from` of `record` to the entries `to`. Fields that are absent, null or an empty text have none.
    pub fn take(&mut self, record: &mut JsonObject, fields: &[(&str, &str)]) {
        for (from, to) in fields {
            if let Some(value) = record.take(from) {
                self.put(to, &value);
            }
        }
    }

    /// Adds a text, unless it is empty.
    pub fn put_text(&mut self, name: &str, text: &str) {
        self.put(name, &JsonValue::Text(text.to_owned()));
    }

    /// Adds a value, unless it is null or an empty text.
    pub fn put(&mut self, name: &str, value: &JsonValue) {
        let written = match value {
            JsonValue::Null => return,
            JsonValue::Text(text) if text.is_empty() => return,
            // A character that no database stores would cost the event all of its metadata.
            JsonValue::Text(text) => Value::from(text.replace('\0', "\u{fffd}")).to_string(),
            JsonValue::NoUnicode(written) => Value::from(repaired(written).replace('\0', "\u{fffd}")).to_string(),
            other => other.to_string(),
        };
        let entry = format!("{}:{written}", Value::from(name));
        if self.json.len() + entry.len() + SPARE > MAX_METADATA_BYTES {
            let what = format!("'{name}' has {} bytes and no room; it is left out", written.len());
            self.warnings.push(Warning { field: "metadata", what });
            return;
        }
        // The first of two entries with one name stays.
        if !self.names.insert(name.to_owned()) {
            let what = format!("'{name}' is there twice; the second is left out");
            self.warnings.push(Warning { field: "metadata", what });
            return;
        }
        if !self.json.is_empty() {
            self.json.push(',');
        }
        self.json.push_str(&entry);
    }

    /// The entries as a JSON object.
    pub fn json(&self) -> String {
        format!("{{{}}}", self.json)
    }

    /// Moves the entries and their warnings into the event.
    pub fn finish(mut self, draft: &mut EventDraft) -> Result<()> {
        draft.metadata = Some(Metadata::parse(&self.json())?).filter(|metadata| !metadata.is_empty());
        draft.warnings.append(&mut self.warnings);
        Ok(())
    }
}

/// Takes a text; an empty one is absent.
pub fn text(record: &mut JsonObject, field: &str) -> Result<Option<String>> {
    Ok(record.text(field, "a text")?.filter(|text| !text.is_empty()))
}

/// The outcome of an action of which only the success is known.
pub fn outcome(succeeded: bool) -> Outcome {
    if succeeded { Outcome::Success } else { Outcome::Failure }
}
