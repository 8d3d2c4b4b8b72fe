//! Our own actions as events of the system tenant, stored in the transaction of what they tell.

use std::net::IpAddr;

use trailkeeper_domain::account::{Account, Actor};
use trailkeeper_domain::event::{Event, EventKind, Outcome, Target};
use trailkeeper_domain::id::{EnvId, EventId, TenantId, UserId};
use trailkeeper_domain::ports::WriteTx;
use trailkeeper_domain::time::Timestamp;
use trailkeeper_domain::{Error, Result};

use crate::access::Access;

pub(crate) const REFRESH_TOKEN_REUSE: &str = "refresh_token_reuse";
pub(crate) const ACCOUNT_CREATE: &str = "account_create";
pub(crate) const ACCOUNT_PASSWORD_CHANGE: &str = "account_password_change";
pub(crate) const ACCOUNT_DISABLE: &str = "account_disable";
pub(crate) const ACCOUNT_ENABLE: &str = "account_enable";
pub(crate) const TOKEN_CREATE: &str = "token_create";
pub(crate) const TOKEN_REVOKE: &str = "token_revoke";
pub(crate) const SIGNING_KEY_CREATE: &str = "signing_key_create";
pub(crate) const SIGNING_KEY_REVOKE: &str = "signing_key_revoke";

/// Whom a login names that nobody has, as the Octopai contract lists it.
pub(crate) const UNKNOWN_USER: &str = "UNKNOWN USER";

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
            source: origin.source.map(|address| address.to_canonical()),
            user_agent: origin.user_agent.as_deref().and_then(|agent| cleaned(agent, 1024)),
            trace_id: origin.trace_id.as_deref().and_then(|id| cleaned(id, 128)),
            ..self.blank_event(at, kind, outcome)
        })
    }

    /// An event about a change that `actor` made to our own records.
    pub(crate) fn change_event(&self, at: Timestamp, kind: &str, actor: &Actor, target: Target) -> Result<Event> {
        Ok(Event {
            user_id: Some(UserId::parse("actor", actor.id.clone())?),
            user_name: cleaned(&actor.name, 256),
            target: Some(target),
            ..self.blank_event(at, kind, Outcome::Success)
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

/// Stores the event with the change that it tells.
pub(crate) fn record(tx: &mut dyn WriteTx, event: &Event) -> Result<()> {
    match tx.insert_events(std::slice::from_ref(event))?.as_slice() {
        [true] => Ok(()),
        _ => Err(Error::internal(format!("the trail's event '{}' was not stored: its id is taken", event.id))),
    }
}

/// A text from outside as the trail may keep it: without control characters, at most `max` characters.
/// `None` when nothing is left.
pub(crate) fn cleaned(text: &str, max: usize) -> Option<String> {
    let cleaned: String = text.chars().filter(|c| !c.is_control()).take(max).collect();
    (!cleaned.is_empty()).then_some(cleaned)
}
