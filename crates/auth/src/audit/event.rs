//! What is done with the server without changing an account or a credential, as events of the system tenant.

use serde_json::{Map, Value};
use trailkeeper_domain::Result;
use trailkeeper_domain::clock::{self, Clock, Entropy};
use trailkeeper_domain::event::{Event, EventKind, Outcome, Target};
use trailkeeper_domain::id::{EnvId, EventId, TenantId, UserId};

use super::{AuditContext, cleaned};

/// A server started.
pub const SERVER_START: &str = "server_start";
/// A file or demo data was imported by the command line.
pub const IMPORT: &str = "import";
/// All sheets were made anew from the events.
pub const SHEETS_REBUILD: &str = "sheets_rebuild";
/// A person was refused something that is no read.
pub const ACCESS_DENIED: &str = "access_denied";

/// Something that was done, or refused.
#[derive(Debug, Clone, PartialEq)]
pub struct AuditEvent {
    /// What: a type of the system tenant's events.
    pub kind: &'static str,
    /// How it ended.
    pub outcome: Outcome,
    /// On what, where it was one thing.
    pub target: Option<Target>,
    /// More about it. Never a secret.
    pub metadata: Map<String, Value>,
}

impl AuditEvent {
    /// A deed of this type that was done.
    pub fn done(kind: &'static str) -> Self {
        Self { kind, outcome: Outcome::Success, target: None, metadata: Map::new() }
    }

    /// The same with one more thing to tell of it.
    #[must_use]
    pub fn with(mut self, name: &str, value: impl Into<Value>) -> Self {
        self.metadata.insert(name.to_owned(), value.into());
        self
    }

    /// The event that tells of it, now.
    pub fn event(self, by: &AuditContext, clock: &dyn Clock, entropy: &dyn Entropy) -> Result<Event> {
        let now = clock.now();
        let origin = &by.origin;
        Ok(Event {
            id: EventId(clock::new_uuid(clock, entropy)),
            tenant_id: TenantId::SYSTEM,
            env_id: EnvId::default(),
            occurred_at: now,
            received_at: now,
            user_id: Some(UserId::parse("actor", by.actor.id.clone())?),
            user_name: cleaned(&by.actor.name, 256),
            kind: EventKind::known(self.kind),
            outcome: self.outcome,
            source: origin.source.map(|address| address.to_canonical()),
            user_agent: origin.user_agent.as_deref().and_then(|agent| cleaned(agent, 1024)),
            page: None,
            session_id: None,
            trace_id: origin.trace_id.as_deref().and_then(|id| cleaned(id, 128)),
            target: self.target,
            metadata: Some(self.metadata).filter(|metadata| !metadata.is_empty()),
        })
    }
}
