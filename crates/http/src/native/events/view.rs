//! An event as readers see it. Every field is always present, and null if it is unknown.

use std::collections::BTreeMap;
use std::net::IpAddr;

use serde::Serialize;
use serde_json::{Value, json};
use trailkeeper_domain::event::{Metadata, NamedField, Original, StoredEvent};
use trailkeeper_domain::time::Timestamp;
use utoipa::ToSchema;
use uuid::Uuid;

use crate::native::schemas;

/// An event.
#[derive(Serialize, ToSchema)]
#[schema(example = EventView::sample)]
pub struct EventView {
    /// The event's id. It is unique inside the tenant.
    #[schema(value_type = schemas::EventId)]
    id: Uuid,
    /// The fields whose values the database has lost; empty unless it is damaged. `type` is then `missing_` and a number,
    /// `tenant_id` is `ffffffff-ffff-ffff-fffe-` and a number, and any other of these fields is null. `trailkeeper
    /// verify` lists such losses.
    #[schema(value_type = Vec<String>)]
    missing_names: Vec<&'static str>,
    /// The tenant; all zero: no tenant; all ones: the server's own audit trail.
    #[schema(value_type = schemas::TenantId)]
    tenant_id: Uuid,
    /// The environment.
    #[schema(value_type = schemas::EnvId)]
    env_id: u32,
    /// The time of the event.
    #[schema(value_type = schemas::Instant)]
    occurred_at: Timestamp,
    /// The time when the server received the event.
    #[schema(value_type = schemas::Instant)]
    received_at: Timestamp,
    /// The user that the event is about.
    #[schema(required, value_type = Option<schemas::UserId>)]
    user_id: Option<String>,
    /// The user's display name.
    #[schema(required, value_type = Option<schemas::UserName>)]
    user_name: Option<String>,
    /// The type of the event.
    #[schema(value_type = schemas::EventType)]
    r#type: String,
    /// The outcome.
    #[schema(value_type = schemas::EventOutcome)]
    outcome: &'static str,
    /// The source address.
    #[schema(required, value_type = Option<schemas::Address>)]
    source: Option<IpAddr>,
    /// The user agent.
    #[schema(required, value_type = Option<schemas::UserAgent>)]
    user_agent: Option<String>,
    /// The page, as it was sent.
    #[schema(required, value_type = Option<schemas::Page>)]
    page: Option<String>,
    /// The id of the application's session.
    #[schema(required, value_type = Option<schemas::SessionId>)]
    session_id: Option<String>,
    /// The id of the request or trace that the event belongs to.
    #[schema(required, value_type = Option<schemas::TraceId>)]
    trace_id: Option<String>,
    /// The object that the event is about.
    #[schema(required)]
    target: Option<TargetView>,
    /// Further data that the sender added.
    #[schema(required, value_type = Option<schemas::Metadata>)]
    metadata: Option<Metadata>,
    /// The fields that could not be stored as they were sent, by name: for example `user_id`, `target.id` or `metadata`.
    /// The field itself is then null.
    #[schema(required, value_type = Option<BTreeMap<String, OriginalView>>)]
    original: Option<BTreeMap<String, OriginalView>>,
}

/// The value of a field that could not be stored as it was sent.
#[derive(Serialize, ToSchema)]
pub struct OriginalView {
    /// The first 1,024 characters of the value: of the text, or of the compact JSON if it is no text. `␀` (U+2400)
    /// stands for a NUL character.
    #[schema(value_type = schemas::OriginalText)]
    text: String,
    /// The SHA-256 of the whole value in UTF-8; absent if `text` is the whole value.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false, value_type = Option<schemas::Sha256>)]
    sha256: Option<String>,
}

/// The object that an event is about.
#[derive(Serialize, ToSchema)]
pub struct TargetView {
    /// The type of the object.
    #[schema(required, value_type = Option<schemas::TargetType>)]
    r#type: Option<String>,
    /// The object's id.
    #[schema(required, value_type = Option<schemas::TargetText>)]
    id: Option<String>,
    /// The object's display name.
    #[schema(required, value_type = Option<schemas::TargetText>)]
    name: Option<String>,
}

impl From<StoredEvent> for EventView {
    fn from(stored: StoredEvent) -> Self {
        let StoredEvent { event, missing_names, .. } = stored;
        Self {
            missing_names: missing_names.into_iter().map(NamedField::as_str).collect(),
            id: event.id.0,
            tenant_id: event.tenant_id.0,
            env_id: event.env_id.0,
            occurred_at: event.occurred_at,
            received_at: event.received_at,
            user_id: event.user_id.map(|id| id.as_str().to_owned()),
            user_name: event.user_name,
            r#type: event.kind.as_str().to_owned(),
            outcome: event.outcome.as_str(),
            source: event.source,
            user_agent: event.user_agent,
            page: event.page.map(String::from),
            session_id: event.session_id,
            trace_id: event.trace_id,
            target: event.target.map(|target| TargetView { r#type: target.kind, id: target.id, name: target.name }),
            metadata: event.metadata,
            original: Some(event.original.into_iter().map(|(field, original)| (field, original.into())).collect())
                .filter(|original: &BTreeMap<_, _>| !original.is_empty()),
        }
    }
}

impl From<Original> for OriginalView {
    fn from(original: Original) -> Self {
        Self { text: original.text, sha256: original.sha256 }
    }
}

impl EventView {
    /// The example of the documentation.
    pub fn sample() -> Value {
        let at = |seconds| Timestamp::from_timestamp(seconds, 0).unwrap_or_default();
        json!(Self {
            id: uuid::uuid!("01975f3c-2b4e-7c10-9a31-5f0d2f9b1c77"),
            missing_names: Vec::new(),
            tenant_id: uuid::uuid!("69e732d6-8ecc-45c4-a2eb-8438f7ffe775"),
            env_id: 1,
            occurred_at: at(1_769_860_800),
            received_at: at(1_769_860_801),
            user_id: Some("u-4711".to_owned()),
            user_name: Some("Jane Doe".to_owned()),
            r#type: "page_load".to_owned(),
            outcome: "success",
            source: Some(IpAddr::from([203, 0, 113, 7])),
            user_agent: Some("Mozilla/5.0".to_owned()),
            page: Some("/invoices?page=2".to_owned()),
            session_id: None,
            trace_id: None,
            target: None,
            metadata: None,
            original: None,
        })
    }
}
