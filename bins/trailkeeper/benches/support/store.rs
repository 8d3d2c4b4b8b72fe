//! Migrated stores, and events as clients send them.

use std::sync::Arc;

use serde_json::{Value, json};
use trailkeeper_domain::event::Event;
use trailkeeper_domain::page::Page;
use trailkeeper_domain::ports::Store;
use trailkeeper_domain::time::rfc3339;
use trailkeeper_storage::{DatabaseUrl, StoreOptions};
use trailkeeper_testkit::TempDatabase;

/// Events per request, and per transaction of the baselines.
pub const BATCH: usize = 1_000;

/// An empty store with all migrations.
pub fn prepared(database: &TempDatabase) -> Arc<dyn Store> {
    let url = DatabaseUrl::parse(database.url()).unwrap();
    trailkeeper_storage::migrate(&url).unwrap();
    trailkeeper_storage::open(&url, &StoreOptions::default()).unwrap()
}

/// The JSON of an event, as a client sends it.
pub fn as_json(event: &Event) -> Value {
    json!({
        "id": event.id.0,
        "tenant_id": event.tenant_id.0,
        "env_id": event.env_id.0,
        "occurred_at": rfc3339(event.occurred_at),
        "user_id": event.user_id.as_ref().map(ToString::to_string),
        "type": event.kind.as_str(),
        "source": event.source,
        "page": event.page.as_ref().map(Page::as_str),
    })
}
