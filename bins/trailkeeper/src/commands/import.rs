//! `trailkeeper import`.

use std::path::PathBuf;
use std::slice;

use clap::{Args, Subcommand};
use trailkeeper_auth::audit::{AuditEvent, IMPORT};
use trailkeeper_domain::event::Outcome;
use trailkeeper_domain::id::TenantId;
use trailkeeper_parsers::identity::Provider;

use crate::config::{self, DatabaseArgs, PageArgs};
use crate::failure::Failure;
use crate::import::{
    AuthLogTimes, Recording, Source, Summary, import_access_log, import_auth_log, import_events, import_memberships,
    import_records, import_tenants, import_users,
};
use crate::wiring::Ports;
use crate::{audit, output, wiring};

/// Arguments of `import`.
#[derive(Args)]
pub struct ImportArgs {
    #[command(subcommand)]
    what: What,
}

#[derive(Subcommand)]
enum What {
    /// Import events from NDJSON, one object per line, with the fields of `POST /v1/events`, or as `export events` writes
    /// them.
    Events(EventFile),
    /// Import users from NDJSON, with the fields of `PUT /v1/users/{user_id}`.
    ///
    /// Each line also has `user_id`, and optionally `tenants`, a list of objects with `tenant_id` and `created_at`.
    Users(RecordFile),
    /// Import tenants from NDJSON, with `tenant_id` and the fields of `PUT /v1/tenants/{tenant_id}`.
    Tenants(RecordFile),
    /// Import memberships of users in tenants from NDJSON, with `tenant_id`, `user_id` and optionally `created_at`.
    Memberships(RecordFile),
    /// Import an access log of Apache or nginx, in the combined or the common format, with or without a virtual host in
    /// front.
    AccessLog(EventFile),
    /// Import user events and admin events of Keycloak, from JSON as its admin REST API writes it.
    Keycloak(EventFile),
    /// Import logs of Auth0, from JSON as its management API, its exports and its log streams write it.
    Auth0(EventFile),
    /// Import records of `CloudTrail`, also those of Cognito, from JSON files as AWS writes them.
    Cloudtrail(EventFile),
    /// Import the logins, failed attempts and logouts of an OpenSSH server from files of auth.log.
    Authlog(AuthLogFiles),
}

#[derive(Args)]
struct RecordFile {
    /// Path of the file, compressed with gzip, zstd or not; `-` reads standard input.
    file: PathBuf,
}

#[derive(Args)]
struct EventFile {
    /// Path of the file, compressed with gzip, zstd or not; `-` reads standard input.
    file: PathBuf,
    /// Record all events in this tenant.
    #[arg(long, value_parser = config::customer, value_name = "UUID")]
    tenant: Option<TenantId>,
    #[command(flatten)]
    pages: PageArgs,
}

#[derive(Args)]
struct AuthLogFiles {
    /// Paths of the files, the oldest first, compressed with gzip, zstd or not; `-` reads standard input.
    #[arg(required = true)]
    files: Vec<PathBuf>,
    /// Record all events in this tenant.
    #[arg(long, value_parser = config::customer, value_name = "UUID")]
    tenant: Option<TenantId>,
    #[command(flatten)]
    times: AuthLogTimes,
    #[command(flatten)]
    pages: PageArgs,
}

impl What {
    /// The files to import, at least one.
    fn files(&self) -> &[PathBuf] {
        match self {
            Self::Events(events)
            | Self::AccessLog(events)
            | Self::Keycloak(events)
            | Self::Auth0(events)
            | Self::Cloudtrail(events) => slice::from_ref(&events.file),
            Self::Users(records) | Self::Tenants(records) | Self::Memberships(records) => slice::from_ref(&records.file),
            Self::Authlog(logs) => &logs.files,
        }
    }

    /// How pages are stored; `None` for imports without events.
    fn pages(&self) -> Option<&PageArgs> {
        match self {
            Self::Events(events)
            | Self::AccessLog(events)
            | Self::Keycloak(events)
            | Self::Auth0(events)
            | Self::Cloudtrail(events) => Some(&events.pages),
            Self::Authlog(logs) => Some(&logs.pages),
            Self::Users(_) | Self::Tenants(_) | Self::Memberships(_) => None,
        }
    }

    /// Name of the subcommand.
    fn name(&self) -> &'static str {
        match self {
            Self::Events(_) => "events",
            Self::Users(_) => "users",
            Self::Tenants(_) => "tenants",
            Self::Memberships(_) => "memberships",
            Self::AccessLog(_) => "access-log",
            Self::Keycloak(_) => "keycloak",
            Self::Auth0(_) => "auth0",
            Self::Cloudtrail(_) => "cloudtrail",
            Self::Authlog(_) => "authlog",
        }
    }
}

/// Imports the files, of which only logs of sign-ins have more than one.
fn import(ports: &Ports, sources: Vec<Source>, what: &What, summary: &mut Summary) -> Result<(), Failure> {
    if let What::Authlog(logs) = what {
        return import_auth_log(ports, sources, Recording { tenant: logs.tenant }, &logs.times, summary);
    }
    for source in sources {
        match what {
            What::Events(events) => import_events(ports, source, events.recording(), summary)?,
            What::AccessLog(events) => import_access_log(ports, source, events.recording(), summary)?,
            What::Keycloak(events) => import_records(ports, source, Provider::Keycloak, events.recording(), summary)?,
            What::Auth0(events) => import_records(ports, source, Provider::Auth0, events.recording(), summary)?,
            What::Cloudtrail(events) => {
                import_records(ports, source, Provider::CloudTrail, events.recording(), summary)?;
            }
            What::Users(_) => import_users(ports, source, summary)?,
            What::Tenants(_) => import_tenants(ports, source, summary)?,
            What::Memberships(_) => import_memberships(ports, source, summary)?,
            What::Authlog(_) => {}
        }
    }
    Ok(())
}

impl EventFile {
    fn recording(&self) -> Recording {
        Recording { tenant: self.tenant }
    }
}

/// Imports files and prints how many of their lines or records were stored, known and rejected.
pub fn run(database: &DatabaseArgs, args: &ImportArgs) -> Result<(), Failure> {
    // First, so that a wrong file name is reported before a database is created.
    let mut sources = Vec::new();
    for file in args.what.files() {
        sources.push(Source::open(file)?);
    }
    let ports = match args.what.pages() {
        Some(pages) => wiring::open_to_record(database, pages)?,
        None => wiring::open(database)?,
    };
    let mut summary = match &args.what {
        What::Users(_) | What::Tenants(_) | What::Memberships(_) => Summary::new("created", "replaced"),
        What::Keycloak(_) | What::Auth0(_) | What::Cloudtrail(_) => Summary::new("stored", "known").of_records(),
        What::Events(_) | What::AccessLog(_) | What::Authlog(_) => Summary::new("stored", "known"),
    };
    let file_name = args.what.files().iter().map(|file| file.display().to_string()).collect::<Vec<_>>().join(", ");
    let about = |event: AuditEvent| event.with("what", args.what.name()).with("file", file_name.as_str());
    // Before the first line is stored, so that an import that is killed has an audit event.
    let start = AuditEvent { outcome: Outcome::Unknown, ..AuditEvent::done(IMPORT) }.with("phase", "start");
    let start = audit::record(&ports, about(start))?;
    let done = import(&ports, sources, &args.what, &mut summary);
    if args.what.pages().is_some() {
        wiring::merge(&ports);
    }
    let outcome = if done.is_err() || summary.is_hopeless() { Outcome::Failure } else { Outcome::Success };
    let end = AuditEvent { outcome, ..summary.audit_event() }.with("phase", "end").with("start", start.to_string());
    let recorded = audit::record(&ports, about(end));
    // Print the summary even after an error: its lines are stored. The first error is the cause, so it is returned first.
    output::write(&summary.to_string())?;
    done?;
    recorded?;
    if summary.is_hopeless() {
        return Err(Failure::Refused(format!("{file_name}: no line could be imported")));
    }
    Ok(())
}
