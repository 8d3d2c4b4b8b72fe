//! Audit events: actions on the server itself, as events of the system tenant.

use serde_json::{Map, Value};
use trailkeeper_domain::Result;
use trailkeeper_domain::account::Account;
use trailkeeper_domain::clock::{self, Clock, Entropy};
use trailkeeper_domain::event::{Event, Metadata, Outcome, Target};
use trailkeeper_domain::id::{EventId, SessionId, UserId};
use trailkeeper_domain::time::Timestamp;

use super::text::{MAX_NAME, cleaned};
use super::{AuditContext, Origin};
use crate::access::Access;

/// The name in events about a login whose name belongs to no account. The Octopai contract lists it.
const UNKNOWN_USER: &str = "UNKNOWN USER";

/// An action on the server, done or refused, before its actor and its time are known.
#[derive(Debug, Clone, PartialEq)]
pub struct AuditEvent {
    /// The type of the event, one of the types of the system tenant.
    pub kind: &'static str,
    /// Whether the action was done.
    pub outcome: Outcome,
    /// The object of the action, if it had exactly one.
    pub target: Option<Target>,
    /// Details of the action. Never a secret.
    pub metadata: Map<String, Value>,
}

impl AuditEvent {
    /// An action of this type that was done, without target and metadata.
    pub fn done(kind: &'static str) -> Self {
        Self { kind, outcome: Outcome::Success, target: None, metadata: Map::new() }
    }

    /// Adds an entry to the metadata.
    #[must_use]
    pub fn with(mut self, name: &str, value: impl Into<Value>) -> Self {
        self.metadata.insert(name.to_owned(), value.into());
        self
    }

    /// Names the object of the action.
    #[must_use]
    pub fn about(mut self, target: Target) -> Self {
        self.target = Some(target);
        self
    }

    /// The event to store, with the present time and a new id.
    ///
    /// [`trailkeeper_domain::Error::Invalid`] when the actor's id cannot be the id of an event's user.
    pub fn event(self, context: &AuditContext, clock: &dyn Clock, entropy: &dyn Entropy) -> Result<Event> {
        let id = EventId(clock::new_uuid(clock, entropy));
        Ok(Event {
            target: self.target,
            metadata: Some(self.metadata).filter(|metadata| !metadata.is_empty()).map(Metadata::from),
            ..context.event(id, clock.now(), self.kind, self.outcome)?
        })
    }
}

impl Access {
    /// An event about a login or a session of `account`; `None` stands for a name that belongs to no account.
    pub(crate) fn session_event(
        &self,
        at: Timestamp,
        kind: &str,
        outcome: Outcome,
        origin: &Origin,
        account: Option<&Account>,
    ) -> Result<Event> {
        let user_id = account.map(|account| UserId::parse("user_id", account.id.to_string())).transpose()?;
        Ok(Event {
            user_id,
            user_name: Some(account.map_or(UNKNOWN_USER, |account| account.email.as_str()).to_owned()),
            ..origin.event(EventId(self.fresh_uuid()), at, kind, outcome)
        })
    }

    /// An event about a change of an account, a credential, a key or a session.
    pub(crate) fn change_event(
        &self,
        at: Timestamp,
        kind: &str,
        context: &AuditContext,
        target: Target,
    ) -> Result<Event> {
        let event = context.event(EventId(self.fresh_uuid()), at, kind, Outcome::Success)?;
        Ok(Event { target: Some(target), ..event })
    }
}

/// The event with the id of the session that it is about. The id is no secret: every credential of a session is signed
/// or drawn at random.
pub(crate) fn about_session(session: SessionId, event: Event) -> Event {
    Event { session_id: Some(session.to_string()), ..event }
}

/// The object of a change.
pub(crate) fn target(kind: &str, id: &impl ToString, name: &str) -> Target {
    Target { kind: Some(kind.to_owned()), id: Some(id.to_string()), name: cleaned(name, MAX_NAME) }
}
