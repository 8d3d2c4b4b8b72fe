//! Analytic questions of the native API.

mod active_users;
mod csv;
mod logins;
mod page_statistics;
mod parameters;
mod profile;
mod registrations;
mod retention;
mod sources;
mod time_zones;
mod timeline;
mod traffic;

use serde_json::Value;

/// Start and value of each bucket of a period.
fn buckets(period: &Value, of: impl Fn(&Value) -> Value) -> Vec<(String, Value)> {
    let row = |bucket: &Value| (bucket["start"].as_str().unwrap().to_owned(), of(bucket));
    period["buckets"].as_array().unwrap().iter().map(row).collect()
}
