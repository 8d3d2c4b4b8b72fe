//! Exports of events.

mod cut;
mod formats;
mod resumed;

use serde_json::{Value, json};

use crate::support::{Caller, TestResponse, numbered};

const EXPORT: &str = "/v1/events/export";

/// Records events with these numbers in this tenant.
fn record(caller: &Caller<'_>, tenant: &str, numbers: impl IntoIterator<Item = u128>) {
    let event = |number| json!({"id": numbered(number), "type": "page_load", "tenant_id": tenant, "user_id": "ann"});
    let events: Vec<Value> = numbers.into_iter().map(event).collect();
    assert_eq!(caller.record(&json!(events))["stored"], events.len());
}

/// The objects of NDJSON.
fn lines(response: &TestResponse) -> Vec<Value> {
    assert_eq!(response.status, 200, "{}", response.text());
    response.text().lines().map(|line| serde_json::from_str(line).unwrap()).collect()
}

/// The ids of objects.
fn ids(lines: &[Value]) -> Vec<&str> {
    lines.iter().map(|line| line["id"].as_str().unwrap()).collect()
}
