//! `trailkeeper export`.

use std::path::PathBuf;

use clap::{Args, Subcommand};
use trailkeeper_analytics::{Edge, Zone};
use trailkeeper_auth::audit::{AuditEvent, EXPORT};
use trailkeeper_domain::event::{EventKind, Outcome};
use trailkeeper_domain::id::{TenantId, UserId};
use trailkeeper_export::{Format, Formulas};

use crate::config::{self, DatabaseArgs};
use crate::export::{Chosen, Exported, Layout, export_events, export_memberships, export_tenants, export_users};
use crate::failure::Failure;
use crate::wiring::Ports;
use crate::{audit, output, wiring};

/// Arguments of `export`.
#[derive(Args)]
pub struct ExportArgs {
    #[command(subcommand)]
    what: What,
}

#[derive(Subcommand)]
enum What {
    /// Export events, in the order in which they were stored: those that are stored when the command begins.
    Events(EventArgs),
    /// Export the records of users.
    Users(FileArgs),
    /// Export the records of tenants.
    Tenants(FileArgs),
    /// Export the memberships of users in tenants.
    Memberships(FileArgs),
}

#[derive(Args)]
struct FileArgs {
    /// File to write, which must not exist. Its name says the format and the compression: .ndjson, .csv or .parquet, then
    /// .gz, .zst or nothing. The file has this name when it is whole, and .part behind it until then.
    file: PathBuf,
    /// Format. Default: what the name of the file says.
    #[arg(long, value_parser = format, value_name = "ndjson|csv|parquet")]
    format: Option<Format>,
    /// Leave texts in CSV that begin like a formula as they are. Else they get a ' in front, so that a spreadsheet does
    /// not compute them.
    #[arg(long)]
    keep_formulas: bool,
}

#[derive(Args)]
struct EventArgs {
    #[command(flatten)]
    file: FileArgs,
    /// Only events of this tenant.
    #[arg(long, value_parser = config::tenant, value_name = "UUID")]
    tenant: Option<TenantId>,
    /// Only events of this type; may be given several times.
    #[arg(long = "type", value_parser = kind, value_name = "TYPE")]
    kinds: Vec<EventKind>,
    /// Only events of this user; may be given several times.
    #[arg(long = "user", value_parser = user, value_name = "ID")]
    users: Vec<UserId>,
    /// Only events at or after this time, or from this UTC day on.
    #[arg(long, value_parser = edge, value_name = "TIME")]
    from: Option<Edge>,
    /// Only events before this time, or up to the end of this UTC day.
    #[arg(long, value_parser = edge, value_name = "TIME")]
    to: Option<Edge>,
    /// Also the events of the server's own audit trail.
    #[arg(long, conflicts_with = "tenant")]
    audit_trail: bool,
    /// Add the position of each event, from which the feed can be read.
    #[arg(long)]
    positions: bool,
    /// Go on with an export that was interrupted, with the same arguments.
    #[arg(long)]
    resume: bool,
}

fn format(value: &str) -> Result<Format, String> {
    Format::parse("format", value).map_err(|error| config::detail(&error))
}

fn kind(value: &str) -> Result<EventKind, String> {
    EventKind::parse("type", value).map_err(|error| config::detail(&error))
}

fn user(value: &str) -> Result<UserId, String> {
    UserId::parse("user", value).map_err(|error| config::detail(&error))
}

fn edge(value: &str) -> Result<Edge, String> {
    Edge::parse("time", value).map_err(|error| config::detail(&error))
}

impl What {
    fn name(&self) -> &'static str {
        match self {
            Self::Events(_) => "events",
            Self::Users(_) => "users",
            Self::Tenants(_) => "tenants",
            Self::Memberships(_) => "memberships",
        }
    }

    fn file(&self) -> &FileArgs {
        match self {
            Self::Events(events) => &events.file,
            Self::Users(file) | Self::Tenants(file) | Self::Memberships(file) => file,
        }
    }

    fn export(&self, ports: &Ports, layout: Layout) -> Exported {
        let file = &self.file().file;
        match self {
            Self::Events(events) => export_events(ports, file, layout, &events.chosen(), events.resume),
            Self::Users(_) => export_users(ports, file, layout),
            Self::Tenants(_) => export_tenants(ports, file, layout),
            Self::Memberships(_) => export_memberships(ports, file, layout),
        }
    }
}

impl EventArgs {
    fn chosen(&self) -> Chosen {
        Chosen {
            tenant: self.tenant,
            kinds: self.kinds.clone(),
            users: self.users.clone(),
            from: self.from.map(|from| from.start(Zone::UTC)),
            until: self.to.map(|to| to.end(Zone::UTC)),
            with_audit_trail: self.audit_trail,
            with_positions: self.positions,
        }
    }
}

/// Writes the file and prints the number of its rows.
pub fn run(database: &DatabaseArgs, args: &ExportArgs) -> Result<(), Failure> {
    let FileArgs { file, format, keep_formulas } = args.what.file();
    let formulas = if *keep_formulas { Formulas::Keep } else { Formulas::Quote };
    // First, so that a wrong name is reported before a database is created.
    let layout = Layout::of(file, *format, formulas)?;
    let ports = wiring::open(database)?;
    let shown = file.display().to_string();
    let about = |event: AuditEvent| event.with("what", args.what.name()).with("file", shown.as_str());
    // Before the first row is read: the part of a killed command can be read, too.
    let start = AuditEvent { outcome: Outcome::Unknown, ..AuditEvent::done(EXPORT) }.with("phase", "start");
    let start = audit::record(&ports, about(start))?;
    let done = args.what.export(&ports, layout);
    let outcome = if done.is_ok() { Outcome::Success } else { Outcome::Failure };
    let end = AuditEvent { outcome, ..AuditEvent::done(EXPORT) }.with("phase", "end").with("start", start.to_string());
    let end = done.as_ref().map_or(end.clone(), |rows| end.with("rows", *rows));
    let recorded = audit::record(&ports, about(end));
    let rows = done?;
    output::line(format!("{shown}: {rows} {}", args.what.name()))?;
    recorded.map(drop)
}
