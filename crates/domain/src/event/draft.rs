//! Events as senders send them, and their validation.

use std::collections::BTreeMap;
use std::net::IpAddr;

use chrono::Duration;
use uuid::Uuid;

use crate::address;
use crate::error::{Error, Result};
use crate::event::optional::{OptionalFields, Warning, short};
use crate::event::{Event, EventKind, Metadata, Outcome, Target};
use crate::id::{EnvId, EventId, TenantId, UserId};
use crate::page::Page;
use crate::time::{self, Timestamp};

/// The longest time by which an event's `occurred_at` may be ahead of the server's clock.
pub const MAX_FUTURE: Duration = Duration::minutes(10);

/// The longest user agent (`User-Agent`), in characters.
pub const MAX_USER_AGENT: usize = 1024;

/// The longest name of a user, in characters.
pub const MAX_USER_NAME: usize = 256;

/// The longest id of a session or trace, in characters.
const MAX_ID: usize = 128;

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
    /// The reason why the reader of the draft does not take [`EventDraft::user_id`] for the id of a user, such as "'-' is
    /// no name". The text is then kept like any other that cannot be stored.
    pub user_id_problem: Option<String>,
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
    pub metadata: Option<Metadata>,
    /// The optional fields of another type than theirs, by name: the text if it is one, else the JSON. The field itself
    /// is then `None`.
    pub mistyped: BTreeMap<&'static str, String>,
    /// The fields that the reader of the draft had to change.
    pub warnings: Vec<Warning>,
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
}

/// A valid event, and the fields that are not stored as they were sent.
#[derive(Debug, Clone, PartialEq)]
pub struct CheckedEvent {
    /// The event.
    pub event: Event,
    /// The fields that are not stored as they were sent.
    pub warnings: Vec<Warning>,
}

impl EventDraft {
    /// Validates all fields and fills in the missing ones. An event without an id gets `fresh_id`.
    ///
    /// A wrong `id`, `occurred_at`, `tenant_id`, `env_id`, `type` or `outcome` is an error that names the field: a default
    /// would count the event in a place that its sender did not mean. A rejected draft has no effect. Any other field
    /// never loses the event. One that identifies something is stored unchanged or not at all, with its text in
    /// [`Event::original`]. A text for display is cut. Each such change is a [`Warning`]. An empty text counts as absent.
    pub fn into_event(self, context: &IngestContext, fresh_id: EventId) -> Result<CheckedEvent> {
        let mut optional = OptionalFields::new(self.mistyped, self.warnings);
        let kind = EventKind::parse("type", self.kind)?;
        let outcome = self.outcome.unwrap_or_else(|| kind.default_outcome());
        // A source that is no address is not replaced by the peer, from which the event did not come.
        let has_source = optional.was_sent("source", self.source.as_deref());
        let event = Event {
            id: self.id.map_or(fresh_id, EventId),
            tenant_id: tenant_of(self.tenant_id, context.tenant_scope)?,
            env_id: self.env_id.unwrap_or_default(),
            occurred_at: occurred(self.occurred_at, context.now)?,
            received_at: context.now,
            user_id: optional.identifying("user_id", self.user_id, |id| match self.user_id_problem {
                Some(problem) => Err(Error::invalid("user_id", problem)),
                None => UserId::parse("user_id", id),
            }),
            user_name: optional.free("user_name", self.user_name, MAX_USER_NAME),
            outcome,
            kind,
            source: optional
                .identifying("source", self.source, |source| address::parse_address("source", source))
                .or(context.source.filter(|_| !has_source)),
            user_agent: optional.free("user_agent", self.user_agent, MAX_USER_AGENT),
            page: optional.identifying("page", self.page, |page| Page::parse("page", page)),
            session_id: optional.identifying("session_id", self.session_id, short("session_id", MAX_ID)),
            trace_id: optional.identifying("trace_id", self.trace_id, short("trace_id", MAX_ID)),
            target: optional.target(self.target),
            metadata: optional.metadata(self.metadata),
            original: BTreeMap::new(),
        };
        let (original, warnings) = optional.finish();
        Ok(CheckedEvent { event: Event { original, ..event }, warnings })
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
