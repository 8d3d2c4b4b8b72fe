//! The thread of a server that removes events by the rules of retention.

use std::io;
use std::sync::Arc;
use std::time::Duration;

use trailkeeper_analytics::engine::retention::{Removal, remove_in_background};
use trailkeeper_auth::audit::{AuditEvent, RETENTION_RUN};

use crate::audit;
use crate::background::Background;
use crate::wiring::Ports;

/// Pause between two removals. Events get too old once a day, rules change at any time.
const EVERY: Duration = Duration::from_hours(1);
/// Pause before the next attempt, if another process holds the lease or a rule is too young.
const AGAIN: Duration = Duration::from_mins(1);

/// Starts the thread. It looks at once whether there is something to remove.
pub fn start(ports: &Ports) -> io::Result<Background> {
    let ports = ports.clone();
    Background::start("remover", move |end| {
        let (store, clock, entropy) = (Arc::clone(&ports.store), Arc::clone(&ports.clock), Arc::clone(&ports.entropy));
        let removal =
            remove_in_background(store.as_ref(), clock.as_ref(), entropy.as_ref(), &ports.leases, &|| end.is_near());
        Some(match removal {
            Ok(Removal::Later) => AGAIN,
            Ok(Removal::Done(removed)) => {
                if removed.events > 0 || removed.months > 0 {
                    tracing::info!(removed.events, removed.months, "removed events that rules do not keep");
                    let audited =
                        AuditEvent::done(RETENTION_RUN).with("events", removed.events).with("months", removed.months);
                    if let Err(failure) = audit::record(&ports, audited) {
                        tracing::warn!("the removal could not be recorded: {failure}");
                    }
                }
                EVERY
            }
            Err(error) => {
                tracing::warn!(error = %error.chain(), "events could not be removed; the next attempt follows in a minute");
                AGAIN
            }
        })
    })
}
