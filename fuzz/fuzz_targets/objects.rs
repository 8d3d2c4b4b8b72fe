//! JSON objects that are read field by field: users, tenants, and fields in any case.
#![no_main]

use libfuzzer_sys::fuzz_target;
use serde_json::value::RawValue;
use serde_json::{Map, Value, json};
use trailkeeper_domain::json::{JsonObject, MALFORMED_JSON};
use trailkeeper_domain::tenant::TenantDraft;
use trailkeeper_domain::time;
use trailkeeper_domain::user::UserDraft;
use trailkeeper_fuzz::refused;

const NAMES: [&str; 3] = ["PageNumber", "RowsInPage", "OctopaiUserId"];

fuzz_target!(|data: &[u8]| {
    let standard = serde_json::from_slice::<Value>(data);
    let object = match (JsonObject::parse("an object", data), &standard) {
        (Ok(_), Ok(Value::Object(fields))) => fields,
        (Ok(_), Ok(other)) => panic!("taken for an object, which serde_json does not: {other:?}"),
        // A number that is too large for serde_json, a nesting that is too deep, a text that is no Unicode, or a byte
        // order mark.
        (Ok(json), Err(_)) => {
            for (name, value) in json.into_fields() {
                assert!(serde_json::from_str::<&RawValue>(&value.to_string()).is_ok(), "{name:?}: {value}");
            }
            return;
        }
        (Err(error), standard) => {
            refused(&error);
            let code = error.detail().map(|fault| fault.code).unwrap_or_default();
            match standard {
                Ok(Value::Object(_)) => assert!(error.to_string().contains("stands twice"), "{error}"),
                Ok(_) => assert_eq!(code, "not_an_object"),
                Err(_) => assert!(
                    [MALFORMED_JSON, "not_an_object"].contains(&code) || error.to_string().contains("stands twice"),
                    "{error}"
                ),
            }
            return;
        }
    };
    let read = || JsonObject::parse("an object", data).expect("it was read before");
    every_field_is_as_serde_json_reads_it(read(), object);
    regardless_of_case(read(), object);
    user(read());
    tenant(read());
});

/// A field as serde_json reads it.
fn taken(json: &mut JsonObject, name: &str) -> Option<Value> {
    json.take(name).map(|value| value.to_string().parse().expect("serde_json reads the whole object"))
}

fn every_field_is_as_serde_json_reads_it(mut json: JsonObject, object: &Map<String, Value>) {
    for (name, value) in object {
        assert_eq!(taken(&mut json, name).as_ref(), Some(value).filter(|value| !value.is_null()), "{name:?}");
    }
    json.finish(&[]).expect("all fields were taken");
}

fn regardless_of_case(json: JsonObject, object: &Map<String, Value>) {
    let same = |name: &str| object.keys().filter(|sent| sent.eq_ignore_ascii_case(name)).count();
    match json.regardless_of_case(&NAMES) {
        Ok(mut json) => {
            for name in NAMES {
                let sent = object.iter().find(|(sent, _)| sent.eq_ignore_ascii_case(name)).map(|(_, value)| value);
                assert!(same(name) < 2, "{name}");
                assert_eq!(taken(&mut json, name).as_ref(), sent.filter(|value| !value.is_null()));
            }
        }
        Err(error) => {
            refused(&error);
            assert!(NAMES.into_iter().any(|name| same(name) > 1), "{error}");
        }
    }
}

fn user(mut json: JsonObject) {
    let draft = match UserDraft::take_from(&mut json) {
        Ok(draft) => draft,
        Err(error) => return refused(&error),
    };
    if let Err(error) = json.finish(&UserDraft::FIELDS) {
        refused(&error);
    }
    let attributes: Map<String, Value> =
        draft.attributes.iter().map(|attribute| (attribute.name.clone(), json!(attribute.value))).collect();
    let written = json!({
        "email": draft.email, "username": draft.username, "attributes": attributes, "region": draft.region,
        "user_pool_id": draft.user_pool_id.as_ref().map(|pool| pool.as_str()),
        "status": draft.status.map(|status| status.as_str()), "enabled": draft.enabled,
        "registered_at": draft.registered_at.map(time::rfc3339),
    })
    .to_string();
    let mut json = JsonObject::parse("a user", written.as_bytes()).expect("what we write is read");
    assert_eq!(UserDraft::take_from(&mut json).expect("what we write is read"), draft);
    json.finish(&[]).expect("all fields are known");
}

fn tenant(mut json: JsonObject) {
    let draft = match TenantDraft::take_from(&mut json) {
        Ok(draft) => draft,
        Err(error) => return refused(&error),
    };
    if let Err(error) = draft.check() {
        refused(&error);
    }
    let written = json!({"name": draft.name, "created_at": draft.created_at.map(time::rfc3339)}).to_string();
    let mut json = JsonObject::parse("a tenant", written.as_bytes()).expect("what we write is read");
    assert_eq!(TenantDraft::take_from(&mut json).expect("what we write is read"), draft);
}
