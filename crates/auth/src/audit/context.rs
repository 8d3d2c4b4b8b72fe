//! The actor of an audited action, and the origin of the request that asked for it.

use std::net::IpAddr;

use trailkeeper_domain::Result;
use trailkeeper_domain::account::Actor;
use trailkeeper_domain::event::{Event, MAX_USER_AGENT, Outcome};
use trailkeeper_domain::id::{EventId, UserId};
use trailkeeper_domain::time::Timestamp;

use super::text::{MAX_NAME, MAX_TRACE_ID, cleaned};

/// The origin of a request, as audit events name it.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Origin {
    /// The client's address.
    pub source: Option<IpAddr>,
    /// The client's program (`User-Agent`); cut to 1,024 characters.
    pub user_agent: Option<String>,
    /// The id of the request; cut to 128 characters.
    pub trace_id: Option<String>,
}

impl Origin {
    /// An event of the system tenant about a request of this origin, without an actor.
    pub(super) fn event(&self, id: EventId, at: Timestamp, kind: &str, outcome: Outcome) -> Event {
        Event {
            source: self.source.map(|address| address.to_canonical()),
            user_agent: self.user_agent.as_deref().and_then(|agent| cleaned(agent, MAX_USER_AGENT)),
            trace_id: self.trace_id.as_deref().and_then(|id| cleaned(id, MAX_TRACE_ID)),
            ..Event::system(id, at, kind, outcome)
        }
    }
}

/// The actor of an audited action, and the origin of the request.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AuditContext {
    /// The account, the credential or the command line.
    pub actor: Actor,
    /// The origin of the request; empty for the command line.
    pub origin: Origin,
}

impl AuditContext {
    /// An event of the system tenant about an action of this actor.
    pub(super) fn event(&self, id: EventId, at: Timestamp, kind: &str, outcome: Outcome) -> Result<Event> {
        Ok(Event {
            user_id: Some(UserId::parse("actor", self.actor.id.clone())?),
            user_name: cleaned(&self.actor.name, MAX_NAME),
            ..self.origin.event(id, at, kind, outcome)
        })
    }
}

impl From<Actor> for AuditContext {
    /// For actions without a request: the command line and the server itself.
    fn from(actor: Actor) -> Self {
        Self { actor, origin: Origin::default() }
    }
}
