//! The feed of events: pages, waiting for events, and streams.

mod cursors;
mod gaps;
mod outages;
mod pages;
mod readings;
mod streams;
mod waiting;

use serde_json::{Value, json};

use crate::support::{Caller, numbered};

const FEED: &str = "/v1/events/feed";
const STREAM: &str = "/v1/events/stream";
const SYSTEM: &str = "ffffffff-ffff-ffff-ffff-ffffffffffff";

/// Records events with these numbers in this tenant, one after the other.
fn record(caller: &Caller<'_>, tenant: &str, numbers: impl IntoIterator<Item = u128>) {
    let event = |number| json!({"id": numbered(number), "type": "page_load", "tenant_id": tenant, "user_id": "ann"});
    let events: Vec<Value> = numbers.into_iter().map(event).collect();
    assert_eq!(caller.record(&json!(events))["stored"], events.len());
    caller.app.settle();
}

/// The ids of a page's events that are not of the system tenant.
fn ids(page: &Value) -> Vec<String> {
    let events = page["events"].as_array().unwrap().iter().filter(|event| event["tenant_id"] != SYSTEM);
    events.map(|event| event["id"].as_str().unwrap().to_owned()).collect()
}

fn all_numbered(numbers: impl IntoIterator<Item = u128>) -> Vec<String> {
    numbers.into_iter().map(numbered).collect()
}

fn text(value: &Value) -> &str {
    value.as_str().unwrap_or_else(|| panic!("{value}"))
}

/// The cursor behind everything that is stored.
fn cursor_at_the_end(caller: &Caller<'_>, conditions: &str) -> String {
    caller.app.settle();
    let page = caller.get(&format!("{FEED}?start=now{conditions}")).ok();
    assert_eq!(page["events"], json!([]));
    text(&page["next_cursor"]).to_owned()
}
