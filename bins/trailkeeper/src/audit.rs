//! Audit events of commands and of the start of a server, in the system tenant.

use serde_json::{Map, Value};
use trailkeeper_auth::audit::{AuditEvent, SERVER_START};
use trailkeeper_domain::Result as DomainResult;
use trailkeeper_domain::event::Event;
use trailkeeper_domain::id::EventId;
use trailkeeper_domain::usecase::append;

use crate::config::Setting;
use crate::failure::Failure;
use crate::wiring::{self, Ports};

/// Stores an audit event. Returns its id.
pub fn record(ports: &Ports, audited: AuditEvent) -> Result<EventId, Failure> {
    let stored = event(ports, audited).and_then(|event| {
        ports.store.writing(|tx| append(tx, &event))?;
        Ok(event.id)
    });
    stored.map_err(|error| ports.failed(error))
}

/// The event to store in the transaction of the audited action.
pub fn event(ports: &Ports, audited: AuditEvent) -> DomainResult<Event> {
    audited.event(&wiring::context(), ports.clock.as_ref(), ports.entropy.as_ref())
}

/// The start of a server, with the settings that were given. The listing hides secrets.
pub fn server_start(settings: Vec<Setting>) -> AuditEvent {
    let given: Map<String, Value> = settings
        .into_iter()
        .filter(|setting| setting.is_given)
        .map(|setting| (setting.flag.trim_start_matches("--").to_owned(), Value::from(setting.value)))
        .collect();
    AuditEvent::done(SERVER_START).with("version", env!("CARGO_PKG_VERSION")).with("settings", given)
}
