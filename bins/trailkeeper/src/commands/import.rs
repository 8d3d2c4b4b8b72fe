//! `trailkeeper import`.

use std::path::PathBuf;

use clap::{Args, Subcommand};
use trailkeeper_auth::audit::{AuditEvent, IMPORT};
use trailkeeper_domain::event::Outcome;
use trailkeeper_domain::id::TenantId;

use crate::config::{self, DatabaseArgs, PageArgs};
use crate::failure::Failure;
use crate::import::{Recording, Source, Summary, import_access_log, import_events, import_tenants, import_users};
use crate::{audit, output, wiring};

/// Arguments of `import`.
#[derive(Args)]
pub struct ImportArgs {
    #[command(subcommand)]
    what: What,
}

#[derive(Subcommand)]
enum What {
    /// Events as NDJSON: one object a line, as `POST /v1/events` takes them.
    Events(EventFile),
    /// Users as NDJSON: the fields of `PUT /v1/users/{user_id}`, `user_id`, and `tenants` (a list of
    /// `tenant_id` and `created_at`).
    Users(RecordFile),
    /// Tenants as NDJSON: the fields of `PUT /v1/tenants/{tenant_id}`, and `tenant_id`.
    Tenants(RecordFile),
    /// An access log of Apache or nginx, in the combined or the common format.
    AccessLog(EventFile),
}

#[derive(Args)]
struct RecordFile {
    /// The file, packed with gzip or not; `-` for standard input.
    file: PathBuf,
}

#[derive(Args)]
struct EventFile {
    /// The file, packed with gzip or not; `-` for standard input.
    file: PathBuf,
    /// Record everything in this tenant.
    #[arg(long, value_parser = config::customer, value_name = "UUID")]
    tenant: Option<TenantId>,
    #[command(flatten)]
    pages: PageArgs,
}

impl What {
    /// As the command line names it.
    fn name(&self) -> &'static str {
        match self {
            Self::Events(_) => "events",
            Self::Users(_) => "users",
            Self::Tenants(_) => "tenants",
            Self::AccessLog(_) => "access-log",
        }
    }
}

impl EventFile {
    fn recording(&self) -> Recording {
        Recording { tenant: self.tenant, queries: self.pages.queries() }
    }
}

/// Imports a file and prints what became of its lines.
pub fn run(database: &DatabaseArgs, args: &ImportArgs) -> Result<(), Failure> {
    let file = match &args.what {
        What::Events(events) | What::AccessLog(events) => &events.file,
        What::Users(records) | What::Tenants(records) => &records.file,
    };
    // A wrong name of a file is told before a database is made.
    let source = Source::open(file)?;
    let ports = match &args.what {
        What::Events(events) | What::AccessLog(events) => wiring::open_to_record(database, &events.pages)?,
        What::Users(_) | What::Tenants(_) => wiring::open(database)?,
    };
    let mut summary = match &args.what {
        What::Events(_) | What::AccessLog(_) => Summary::new("stored", "known"),
        What::Users(_) | What::Tenants(_) => Summary::new("created", "replaced"),
    };
    let file_name = file.display().to_string();
    let about = |event: AuditEvent| event.with("what", args.what.name()).with("file", file_name.as_str());
    // Before the first line is stored, so that an import which is killed has been told of.
    let start = AuditEvent { outcome: Outcome::Unknown, ..AuditEvent::done(IMPORT) }.with("phase", "start");
    let start = audit::record(&ports, about(start))?;
    let done = match &args.what {
        What::Events(events) => import_events(&ports, source, events.recording(), &mut summary),
        What::AccessLog(events) => import_access_log(&ports, source, events.recording(), &mut summary),
        What::Users(_) => import_users(&ports, source, &mut summary),
        What::Tenants(_) => import_tenants(&ports, source, &mut summary),
    };
    if matches!(args.what, What::Events(_) | What::AccessLog(_)) {
        wiring::merge(&ports);
    }
    let outcome = if done.is_err() || summary.is_hopeless() { Outcome::Failure } else { Outcome::Success };
    let end = AuditEvent { outcome, ..summary.audit_event() }.with("phase", "end").with("start", start.to_string());
    let told = audit::record(&ports, about(end));
    // Whether or not that could be told: what is stored is stored, and the first error is the cause.
    output::write(&summary.to_string())?;
    done?;
    told?;
    if summary.is_hopeless() {
        return Err(Failure::Refused(format!("{file_name}: not one line could be imported")));
    }
    Ok(())
}
