//! Requests as JSON, cut into their records without decoding them. Unknown fields are ignored, as OTLP wants it.

use serde::de::DeserializeOwned;
use trailkeeper_domain::json::{JsonObject, JsonValue, Walk};
use trailkeeper_domain::{Error, Result};

use crate::otlp::records::{MAX_RECORD, Origin, Records, too_large};

const WAY_OUT: &str = "a list of objects";

pub fn read(bytes: &[u8], records: &mut Records) -> Result<()> {
    let mut request = JsonObject::parse("a request of OTLP", bytes)?;
    each(&mut request, "resourceLogs", |of_resource| {
        let mut of_resource = JsonObject::parse("an object of resourceLogs", of_resource.as_bytes())?;
        records.resource = origin(&mut of_resource, "resource")?;
        each(&mut of_resource, "scopeLogs", |of_scope| {
            let mut of_scope = JsonObject::parse("an object of scopeLogs", of_scope.as_bytes())?;
            records.scope = origin(&mut of_scope, "scope")?;
            each(&mut of_scope, "logRecords", |record| {
                records.next()?;
                records.add(decoded("record", record));
                Ok(())
            })
        })
    })
}

/// Calls `handle` with each item of the list in a field. A field that is absent is an empty list.
fn each(object: &mut JsonObject, field: &str, mut handle: impl FnMut(&str) -> Result<()>) -> Result<()> {
    match object.take(field) {
        None => Ok(()),
        Some(JsonValue::List(items)) => Walk::new(&items).parts().try_for_each(|(_, item)| handle(item)),
        Some(other) => {
            Err(Error::invalid(object.named(field), format!("{} is not a list; send {WAY_OUT}", other.shown())))
        }
    }
}

fn origin<M: prost::Message + Default + DeserializeOwned>(object: &mut JsonObject, field: &str) -> Result<Origin<M>> {
    match object.take(field) {
        None => Ok(Origin::of(M::default())),
        Some(value) => decoded(field, &value.to_string()).map(Origin::of),
    }
}

fn decoded<M: DeserializeOwned>(what: &str, json: &str) -> Result<M> {
    if json.len() > MAX_RECORD {
        return Err(too_large(what, json.len()));
    }
    serde_json::from_str(json).map_err(|error| Error::invalid(what, format!("is not as OTLP writes it: {error}")))
}
