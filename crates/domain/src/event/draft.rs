//! Events as senders send them, and their validation.

use std::net::IpAddr;

use chrono::Duration;
use uuid::Uuid;

use crate::address;
use crate::error::{Error, Result};
use crate::event::{Event, EventKind, Outcome, Target};
use crate::id::{EnvId, EventId, TenantId, UserId};
use crate::page::{Page, PageQueries};
use crate::text;
use crate::time::{self, Timestamp};

/// The longest time by which an event's `occurred_at` may be ahead of the server's clock.
pub const MAX_FUTURE: Duration = Duration::minutes(10);

/// The largest metadata, in bytes of compact JSON.
pub const MAX_METADATA_BYTES: usize = 16 * 1024;

/// The longest user agent (`User-Agent`), in characters.
pub const MAX_USER_AGENT: usize = 1024;

/// The deepest nesting of metadata, in levels. Every JSON reader downstream accepts this depth.
const MAX_METADATA_DEPTH: usize = 32;

/// An event as the client sent it: parsed, but not yet validated.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct EventDraft {
    /// The id that the sender chose. If absent, the event gets a new one.
    pub id: Option<Uuid>,
    /// The time when the event happened. If absent: the time of receipt.
    pub occurred_at: Option<Timestamp>,
    /// The tenant. If absent: the tenant of the credential, or no tenant if the credential is not tenant-scoped.
    pub tenant_id: Option<TenantId>,
    /// The environment. If absent: 1.
    pub env_id: Option<EnvId>,
    /// The id of the user, the subject of the event.
    pub user_id: Option<String>,
    /// The name of the actor.
    pub user_name: Option<String>,
    /// The type of the event.
    pub kind: String,
    /// The outcome. If absent: the default of the type.
    pub outcome: Option<Outcome>,
    /// The source address. If absent: the peer of the request.
    pub source: Option<String>,
    /// The user agent, as the client sent it.
    pub user_agent: Option<String>,
    /// The URL or bare path of the page.
    pub page: Option<String>,
    /// The id of the session of the application.
    pub session_id: Option<String>,
    /// The id of the request or trace to which the event belongs.
    pub trace_id: Option<String>,
    /// The object of the action.
    pub target: Option<Target>,
    /// Further data of the sender: a JSON object.
    pub metadata: Option<serde_json::Map<String, serde_json::Value>>,
}

/// The data that the receiving side adds to a draft.
#[derive(Debug, Clone, Copy)]
pub struct IngestContext {
    /// The time of receipt, by the server's clock.
    pub now: Timestamp,
    /// The source address of events whose draft has none.
    pub source: Option<IpAddr>,
    /// The tenant of a tenant-scoped credential; `None` for other credentials.
    pub tenant_scope: Option<TenantId>,
    /// The setting by which statistics group pages.
    pub queries: PageQueries,
}

/// A valid event, and the fields that are not stored as they were sent.
#[derive(Debug, Clone, PartialEq)]
pub struct CheckedEvent {
    /// The event.
    pub event: Event,
    /// The fields that are not stored as they were sent.
    pub warnings: Vec<Warning>,
}

/// A field of an event that is not stored as it was sent. The event is stored nevertheless.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Warning {
    /// The name of the field, for example `user_id` or `target.name`.
    pub field: &'static str,
    /// The problem, and what is stored.
    pub what: String,
}

impl EventDraft {
    /// Validates all fields and fills in the missing ones. An event without an id gets `fresh_id`.
    ///
    /// Errors name the field. A rejected draft has no effect.
    pub fn into_event(self, context: &IngestContext, fresh_id: EventId) -> Result<CheckedEvent> {
        let kind = EventKind::parse("type", self.kind)?;
        let outcome = self.outcome.unwrap_or_else(|| kind.default_outcome());
        let metadata = self.metadata.map(checked_metadata).transpose()?;
        let source = self.source.map(|source| address::parse_address("source", &source)).transpose()?;
        let event = Event {
            id: self.id.map_or(fresh_id, EventId),
            tenant_id: tenant_of(self.tenant_id, context.tenant_scope)?,
            env_id: self.env_id.unwrap_or_default(),
            occurred_at: occurred(self.occurred_at, context.now)?,
            received_at: context.now,
            user_id: self.user_id.map(|id| UserId::parse("user_id", id)).transpose()?,
            user_name: short("user_name", self.user_name, 256)?,
            outcome,
            kind,
            source: source.or(context.source),
            user_agent: short("user_agent", self.user_agent, MAX_USER_AGENT)?,
            page: self.page.map(|page| Page::parse("page", page, context.queries)).transpose()?,
            session_id: short("session_id", self.session_id, 128)?,
            trace_id: short("trace_id", self.trace_id, 128)?,
            target: self.target.map(checked_target).transpose()?,
            metadata,
        };
        Ok(CheckedEvent { event, warnings: Vec::new() })
    }
}

fn tenant_of(sent: Option<TenantId>, tenant_scope: Option<TenantId>) -> Result<TenantId> {
    match (sent, tenant_scope) {
        (Some(TenantId::SYSTEM), _) => Err(Error::invalid(
            "tenant_id",
            "the all-ones UUID is the server's own trail, which only the server writes; send your tenant's id or leave it out",
        )),
        (Some(sent), Some(own)) if sent != own => Err(Error::invalid(
            "tenant_id",
            format!("'{sent}' is not the tenant of your credential; leave it out to record in your own"),
        )),
        (sent, own) => Ok(sent.or(own).unwrap_or(TenantId::NONE)),
    }
}

fn occurred(sent: Option<Timestamp>, now: Timestamp) -> Result<Timestamp> {
    let Some(sent) = sent else { return Ok(now) };
    if sent > now + MAX_FUTURE {
        return Err(Error::invalid(
            "occurred_at",
            format!(
                "'{}' is more than 10 minutes ahead of the server's clock ({}); check the sender's clock and time zone",
                time::rfc3339(sent),
                time::rfc3339(now)
            ),
        ));
    }
    Ok(time::truncated(sent))
}

fn short(field: &str, value: Option<String>, max: usize) -> Result<Option<String>> {
    if let Some(value) = &value {
        text::checked(field, value, max)?;
    }
    Ok(value)
}

fn checked_target(target: Target) -> Result<Target> {
    Ok(Target {
        kind: short("target.type", target.kind, 64)?,
        id: short("target.id", target.id, 256)?,
        name: short("target.name", target.name, 256)?,
    })
}

fn checked_metadata(
    metadata: serde_json::Map<String, serde_json::Value>,
) -> Result<serde_json::Map<String, serde_json::Value>> {
    let size = serde_json::to_vec(&metadata).map_err(Error::internal)?.len();
    if size > MAX_METADATA_BYTES {
        return Err(Error::invalid(
            "metadata",
            format!("has {size} bytes as compact JSON; at most {MAX_METADATA_BYTES} are allowed"),
        ));
    }
    for (key, value) in &metadata {
        storable_text(key)?;
        storable(value, 1)?;
    }
    Ok(metadata)
}

/// Rejects NUL characters, because PostgreSQL's `jsonb` cannot store them, and nesting without limit, because it breaks
/// readers.
fn storable(value: &serde_json::Value, depth: usize) -> Result<()> {
    if depth > MAX_METADATA_DEPTH {
        return Err(Error::invalid("metadata", format!("nests deeper than {MAX_METADATA_DEPTH} levels; flatten it")));
    }
    match value {
        serde_json::Value::String(text) => storable_text(text),
        serde_json::Value::Array(items) => items.iter().try_for_each(|item| storable(item, depth + 1)),
        serde_json::Value::Object(fields) => fields.iter().try_for_each(|(key, value)| {
            storable_text(key)?;
            storable(value, depth + 1)
        }),
        serde_json::Value::Null | serde_json::Value::Bool(_) | serde_json::Value::Number(_) => Ok(()),
    }
}

fn storable_text(text: &str) -> Result<()> {
    if text.contains('\0') {
        return Err(Error::invalid("metadata", "contains a NUL character (\\u0000); remove it"));
    }
    Ok(())
}
