//! `trailkeeper import`.

use std::path::PathBuf;

use clap::{Args, Subcommand};
use trailkeeper_auth::audit::{AuditEvent, IMPORT};
use trailkeeper_domain::event::Outcome;
use trailkeeper_domain::id::TenantId;

use crate::config::{self, DatabaseArgs, PageArgs};
use crate::failure::Failure;
use crate::import::{
    Recording, Source, Summary, import_access_log, import_events, import_memberships, import_tenants, import_users,
};
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

impl What {
    /// Name of the subcommand.
    fn name(&self) -> &'static str {
        match self {
            Self::Events(_) => "events",
            Self::Users(_) => "users",
            Self::Tenants(_) => "tenants",
            Self::Memberships(_) => "memberships",
            Self::AccessLog(_) => "access-log",
        }
    }
}

impl EventFile {
    fn recording(&self) -> Recording {
        Recording { tenant: self.tenant }
    }
}

/// Imports a file and prints how many lines were stored, known and rejected.
pub fn run(database: &DatabaseArgs, args: &ImportArgs) -> Result<(), Failure> {
    let file = match &args.what {
        What::Events(events) | What::AccessLog(events) => &events.file,
        What::Users(records) | What::Tenants(records) | What::Memberships(records) => &records.file,
    };
    // First, so that a wrong file name is reported before a database is created.
    let source = Source::open(file)?;
    let ports = match &args.what {
        What::Events(events) | What::AccessLog(events) => wiring::open_to_record(database, &events.pages)?,
        What::Users(_) | What::Tenants(_) | What::Memberships(_) => wiring::open(database)?,
    };
    let mut summary = match &args.what {
        What::Events(_) | What::AccessLog(_) => Summary::new("stored", "known"),
        What::Users(_) | What::Tenants(_) | What::Memberships(_) => Summary::new("created", "replaced"),
    };
    let file_name = file.display().to_string();
    let about = |event: AuditEvent| event.with("what", args.what.name()).with("file", file_name.as_str());
    // Before the first line is stored, so that an import that is killed has an audit event.
    let start = AuditEvent { outcome: Outcome::Unknown, ..AuditEvent::done(IMPORT) }.with("phase", "start");
    let start = audit::record(&ports, about(start))?;
    let done = match &args.what {
        What::Events(events) => import_events(&ports, source, events.recording(), &mut summary),
        What::AccessLog(events) => import_access_log(&ports, source, events.recording(), &mut summary),
        What::Users(_) => import_users(&ports, source, &mut summary),
        What::Tenants(_) => import_tenants(&ports, source, &mut summary),
        What::Memberships(_) => import_memberships(&ports, source, &mut summary),
    };
    if matches!(args.what, What::Events(_) | What::AccessLog(_)) {
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
