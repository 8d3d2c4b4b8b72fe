//! What the program does at the command line and at its start, as events of the system tenant.

use clap::parser::ValueSource;
use clap::{ArgMatches, CommandFactory as _};
use serde_json::{Map, Value};
use trailkeeper_auth::audit::{AuditEvent, SERVER_START};
use trailkeeper_domain::Result as DomainResult;
use trailkeeper_domain::event::Event;
use trailkeeper_domain::id::EventId;
use trailkeeper_domain::usecase::append;

use crate::cli::Cli;
use crate::config::Setting;
use crate::failure::Failure;
use crate::wiring::{self, Ports};

/// Stores an audit event; returns its id.
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

/// The start of a server, with those of its settings that were given. The listing hides what is secret.
pub fn server_start(settings: Vec<Setting>) -> AuditEvent {
    let parsed = Cli::command().try_get_matches().ok();
    let matches = parsed.as_ref().and_then(ArgMatches::subcommand).map(|(_, matches)| matches);
    let given: Map<String, Value> = settings
        .into_iter()
        .map(|setting| (setting.flag.trim_start_matches("--").to_owned(), setting.value))
        .filter(|(name, _)| matches.is_some_and(|matches| was_given(matches, &name.replace('-', "_"))))
        .map(|(name, value)| (name, Value::from(value)))
        .collect();
    AuditEvent::done(SERVER_START).with("version", env!("CARGO_PKG_VERSION")).with("settings", given)
}

/// Whether an argument came from the command line or the environment, and not from its default.
fn was_given(matches: &ArgMatches, id: &str) -> bool {
    let known = matches.try_contains_id(id).unwrap_or(false);
    known && !matches!(matches.value_source(id), None | Some(ValueSource::DefaultValue))
}
