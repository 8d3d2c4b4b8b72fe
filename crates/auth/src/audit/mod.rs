//! Our own actions as events of the system tenant, stored in the transaction of what they tell.

mod event;
mod request;

use std::net::IpAddr;

use trailkeeper_domain::account::{Account, Actor, Role};
use trailkeeper_domain::event::{Event, EventKind, Outcome, Target};
use trailkeeper_domain::id::{EnvId, EventId, SessionId, TenantId, UserId};
use trailkeeper_domain::time::Timestamp;
/// Stores the event with the change that it tells.
pub(crate) use trailkeeper_domain::usecase::append as record;
use trailkeeper_domain::{Result, text};

use crate::access::Access;

pub use event::{ACCESS_DENIED, AuditEvent, IMPORT, SERVER_START, SHEETS_REBUILD};
pub use request::{Ended, Request, Traced, is_condition};

/// Failed logins make further ones wait: the beginning of a delay, not each attempt that it refuses.
pub(crate) const LOGIN_BLOCKED: &str = "login_blocked";
pub(crate) const REFRESH_TOKEN_REUSE: &str = "refresh_token_reuse";
pub(crate) const ACCOUNT_CREATE: &str = "account_create";
pub(crate) const ACCOUNT_CHANGE: &str = "account_change";
pub(crate) const ACCOUNT_DELETE: &str = "account_delete";
pub(crate) const ACCOUNT_PASSWORD_CHANGE: &str = "account_password_change";
pub(crate) const ACCOUNT_DISABLE: &str = "account_disable";
pub(crate) const ACCOUNT_ENABLE: &str = "account_enable";
pub(crate) const TOKEN_CREATE: &str = "token_create";
pub(crate) const TOKEN_CHANGE: &str = "token_change";
pub(crate) const TOKEN_REVOKE: &str = "token_revoke";
pub(crate) const SIGNING_KEY_CREATE: &str = "signing_key_create";
pub(crate) const SIGNING_KEY_CHANGE: &str = "signing_key_change";
pub(crate) const SIGNING_KEY_REVOKE: &str = "signing_key_revoke";
pub(crate) const TOKEN_KEY_ROTATE: &str = "token_key_rotate";
pub(crate) const MASTER_KEY_ROTATE: &str = "master_key_rotate";
pub(crate) const SESSION_END: &str = "session_end";

/// Whom a login names that nobody has, as the Octopai contract lists it.
pub(crate) const UNKNOWN_USER: &str = "UNKNOWN USER";

/// What stands in the trail where someone wrote a token.
const HIDDEN_TOKEN: &str = "(a token, hidden)";

/// The longest program name that is kept, in characters.
const MAX_USER_AGENT: usize = 1024;

/// The longest request id that is kept, in characters.
const MAX_TRACE_ID: usize = 128;

/// Where a request came from, for the trail.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Origin {
    /// From which address.
    pub source: Option<IpAddr>,
    /// With which program; cut at 1,024 characters.
    pub user_agent: Option<String>,
    /// Which request it was; cut at 128 characters.
    pub trace_id: Option<String>,
}

impl Origin {
    /// The event as one that came from here.
    fn stamped_on(&self, event: Event) -> Event {
        Event {
            source: self.source.map(|address| address.to_canonical()),
            user_agent: self.user_agent.as_deref().and_then(|agent| cleaned(agent, MAX_USER_AGENT)),
            trace_id: self.trace_id.as_deref().and_then(|id| cleaned(id, MAX_TRACE_ID)),
            ..event
        }
    }
}

/// Who changes something, and from where.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AuditContext {
    /// Who.
    pub actor: Actor,
    /// From where; empty for the command line.
    pub origin: Origin,
}

impl From<Actor> for AuditContext {
    /// Of someone who sits at the machine itself.
    fn from(actor: Actor) -> Self {
        Self { actor, origin: Origin::default() }
    }
}

/// The event as one about this session. Its id opens nothing: it names the session in lists, and every credential of it
/// is signed or drawn at random.
pub(crate) fn about_session(session: SessionId, event: Event) -> Event {
    Event { session_id: Some(session.to_string()), ..event }
}

impl Access {
    /// An event about a login or a session of `account`, or of nobody.
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
            ..origin.stamped_on(self.blank_event(at, kind, outcome))
        })
    }

    /// An event about a change to our own records.
    pub(crate) fn change_event(&self, at: Timestamp, kind: &str, by: &AuditContext, target: Target) -> Result<Event> {
        Ok(Event {
            user_id: Some(UserId::parse("actor", by.actor.id.clone())?),
            user_name: cleaned(&by.actor.name, 256),
            target: Some(target),
            ..by.origin.stamped_on(self.blank_event(at, kind, Outcome::Success))
        })
    }

    fn blank_event(&self, at: Timestamp, kind: &str, outcome: Outcome) -> Event {
        Event {
            id: EventId(self.fresh_uuid()),
            tenant_id: TenantId::SYSTEM,
            env_id: EnvId::default(),
            occurred_at: at,
            received_at: at,
            user_id: None,
            user_name: None,
            kind: EventKind::known(kind),
            outcome,
            source: None,
            user_agent: None,
            page: None,
            session_id: None,
            trace_id: None,
            target: None,
            metadata: None,
        }
    }
}

/// What a change was made to.
pub(crate) fn target(kind: &str, id: &impl ToString, name: &str) -> Target {
    Target { kind: Some(kind.to_owned()), id: Some(id.to_string()), name: cleaned(name, 256) }
}

/// What the event of a new or a deleted credential tells beside its target: what it may do, and where.
pub(crate) fn credential_metadata(
    role: Option<Role>,
    tenant_id: Option<TenantId>,
) -> serde_json::Map<String, serde_json::Value> {
    let role = role.map(|role| ("role".to_owned(), role.as_str().into()));
    let tenant = ("tenant_id".to_owned(), tenant_id.map(|id| id.to_string()).into());
    role.into_iter().chain([tenant]).collect()
}

/// What an event tells of a change beside its target: the fields that changed, each with its old and its new value.
#[derive(Default)]
pub(crate) struct Changes(serde_json::Map<String, serde_json::Value>);

impl Changes {
    /// Notes the field if it changed. Never to be called with anything that opens a door.
    pub(crate) fn note<T: Into<serde_json::Value>>(&mut self, field: &str, from: T, to: T) {
        let (from, to) = (from.into(), to.into());
        if from != to {
            self.0.insert(field.to_owned(), serde_json::json!({ "from": from, "to": to }));
        }
    }

    /// Whether nothing changed.
    pub(crate) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// The event's metadata: `changed` lists the fields, and each stands beside it as `{"from":…,"to":…}`.
    pub(crate) fn into_metadata(self) -> serde_json::Map<String, serde_json::Value> {
        let names: Vec<_> = self.0.keys().cloned().collect();
        let mut metadata = self.0;
        metadata.insert("changed".to_owned(), names.into());
        metadata
    }
}

/// A text from outside as the trail may keep it: without control characters, at most `max` characters.
/// `None` when nothing is left. Of a token that someone put into the wrong place, that it was one.
pub(crate) fn cleaned(value: &str, max: usize) -> Option<String> {
    if text::looks_like_token(value) {
        return Some(HIDDEN_TOKEN.to_owned());
    }
    let cleaned: String = value.chars().filter(|c| !c.is_control()).take(max).collect();
    (!cleaned.is_empty()).then_some(cleaned)
}
