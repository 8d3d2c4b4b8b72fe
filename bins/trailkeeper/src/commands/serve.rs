//! `trailkeeper serve`.

use std::cell::Cell;
use std::io;
use std::net::SocketAddr;
use std::sync::Arc;
use std::{panic, thread};

use actix_web::rt::System;
use trailkeeper_analytics::engine::merger::Merger;
use trailkeeper_auth::{Access, NewAccount};
use trailkeeper_domain::account::Role;
use trailkeeper_domain::ingest::Ingest;
use trailkeeper_domain::{Error, ErrorDetail};
use trailkeeper_forward::{Connector, Forwarder, Sender};
use trailkeeper_http::{HttpSettings, Services};

use crate::banner::{Administrator, Banner};
use crate::config::{AdminArgs, CommandLine, DatabaseArgs, Settings};
use crate::failure::Failure;
use crate::master_key::KeyUse;
use crate::wiring::{self, Ports};
use crate::{access, audit, conversion, demo, housekeeping, output, retention};

/// Serves until a signal stops it.
pub fn run(database: &DatabaseArgs, settings: &Settings, line: &CommandLine) -> Result<(), Failure> {
    // First, so that an unusable certificate changes nothing in the database.
    let http = HttpSettings { limits: settings.limits.settings(), ..settings.server.http_settings()? };
    settings.server.warn_of_plain_http();
    let ports = wiring::open_to_record(database, &settings.pages)?;
    let access = access::open(&ports, database, &settings.access, KeyUse::Secrets)?;
    if settings.server.demo
        && let Some(loaded) = demo::load(&ports)?
    {
        tracing::info!("loaded demo data: {loaded}");
    }
    let start = audit::server_start(line.settings(&settings.effective(database)?));
    // Late, so that a failed start does not lose the generated password.
    let administrator = first_administrator(&ports, &access, &settings.admin)?;
    let banner = Banner {
        database: ports.url.to_string(),
        database_flags: database_flags(database, &ports)?,
        needs_database_url: !ports.url.is_sqlite(),
        administrator,
        scheme: if http.tls.is_some() { "https" } else { "http" },
        program: std::env::current_exe().unwrap_or_else(|_| "trailkeeper".into()),
    };
    let housekeeping = housekeeping::start(Arc::clone(&access))
        .map_err(|source| Failure::Io { what: "cannot start the housekeeping thread".to_owned(), source })?;
    let conversion = conversion::start(&ports)
        .map_err(|source| Failure::Io { what: "cannot start the thread that converts events".to_owned(), source })?;
    let remover = retention::start(&ports)
        .map_err(|source| Failure::Io { what: "cannot start the thread that removes events".to_owned(), source })?;
    let ingest = Ingest::start(Arc::clone(&ports.store), settings.server.ingest_limits());
    let connector = Connector::new(settings.server.connector_settings()).map_err(|error| ports.failed(error))?;
    let sender =
        Arc::new(Sender::new(connector, Arc::clone(&access), Arc::clone(&ports.clock), Arc::clone(&ports.entropy)));
    let forwarder = Forwarder::start(
        Arc::clone(&ports.store),
        Arc::clone(&access),
        Arc::clone(&ports.clock),
        ports.entropy.as_ref(),
        Arc::clone(&sender),
    )
    .map_err(|source| Failure::Io { what: "cannot start the thread of streams".to_owned(), source })?;
    let services = Services {
        store: Arc::clone(&ports.store),
        ingest: Arc::new(ingest.map_err(|error| ports.failed(error))?),
        access,
        clock: Arc::clone(&ports.clock),
        entropy: Arc::clone(&ports.entropy),
        stream_tester: Some(sender),
    };
    let merger = Merger::start(
        Arc::clone(&ports.store),
        Arc::clone(&ports.clock),
        Arc::clone(&ports.entropy),
        settings.server.merger_settings(),
        &ports.leases,
    );
    let merger = merger.map_err(|error| ports.failed(error))?;
    let listen = http.listen;
    let shown = Cell::new(false);
    let mut unrecorded = None;
    let served = System::new().block_on(trailkeeper_http::serve(services, http, |address| {
        // Not recorded if binding fails: such a server did not start. On another thread, because this one drives a
        // runtime, and a thread inside a runtime cannot block on PostgreSQL.
        let recorded = thread::scope(|scope| scope.spawn(|| audit::record(&ports, start)).join());
        recorded.unwrap_or_else(|panic| panic::resume_unwind(panic)).map_err(|failure| {
            unrecorded = Some(failure);
            io::Error::other("the start could not be recorded")
        })?;
        shown.set(true);
        // The server also runs with a closed stdout.
        if let Err(error) = output::write(&banner.text(address)) {
            tracing::warn!("cannot print the address: {error}");
        }
        Ok(())
    }));
    // All requests are answered by now. The next start merges the remaining deltas.
    merger.stop();
    forwarder.stop();
    conversion.stop();
    remover.stop();
    housekeeping.stop();
    if !shown.get() {
        output::write(&banner.credentials())?;
    }
    match unrecorded {
        Some(failure) => Err(failure),
        None => served.map_err(|source| serve_failure(listen, source)),
    }
}

fn serve_failure(listen: SocketAddr, source: io::Error) -> Failure {
    match source.kind() {
        io::ErrorKind::AddrInUse => Failure::Refused(format!(
            "listen: another program uses {listen}; stop it, or choose another port with --listen"
        )),
        _ => Failure::Io { what: format!("listen: {listen}"), source },
    }
}

/// Creates the first administrator if there is no account yet.
fn first_administrator(ports: &Ports, access: &Access, settings: &AdminArgs) -> Result<Administrator, Failure> {
    let existing = access.accounts(None, 1).map_err(|error| ports.failed(error))?;
    if !existing.items.is_empty() {
        return Ok(Administrator::Existing);
    }
    let chosen = settings.admin_password.as_deref();
    let password = chosen.map_or_else(|| access.generate_password(), str::to_owned);
    let email = settings.admin_email.clone();
    let new = NewAccount {
        email: email.clone(),
        display_name: Some("Administrator".to_owned()),
        password: password.clone(),
        role: Role::Admin,
        tenant_id: None,
    };
    match access.create_account(&wiring::context(), new) {
        Ok(_) if chosen.is_some() => Ok(Administrator::Chosen { email }),
        Ok(_) => Ok(Administrator::Generated { email, password }),
        // Another server of the same database was faster, so its password is the valid one.
        Err(Error::Conflict(_)) => Ok(Administrator::Existing),
        // Name the setting instead of the field of the account.
        Err(Error::Invalid(ErrorDetail { field: Some(field), detail, .. })) => {
            Err(Failure::Refused(format!("admin-{field} (TRAILKEEPER_ADMIN_{}): {detail}", field.to_uppercase())))
        }
        Err(error) => Err(ports.failed(error)),
    }
}

/// The flags that make another command use the same database from another folder. They leave the address of a PostgreSQL
/// server to the environment, because it can contain a password, which must not be printed.
fn database_flags(database: &DatabaseArgs, ports: &Ports) -> Result<Vec<String>, Failure> {
    let data_dir = &database.data_dir;
    let absolute = std::path::absolute(data_dir).map_err(|error| Failure::of_file(data_dir, error))?;
    let mut flags = vec!["--data-dir".to_owned(), absolute.display().to_string()];
    if database.database_url.is_some() && ports.url.is_sqlite() {
        flags.extend(["--database-url".to_owned(), ports.url.to_string()]);
    }
    Ok(flags)
}
