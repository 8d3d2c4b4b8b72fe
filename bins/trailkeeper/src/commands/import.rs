//! `trailkeeper import`.

use std::path::PathBuf;
use std::slice;

use clap::builder::NonEmptyStringValueParser;
use clap::{Args, Subcommand};
use trailkeeper_auth::audit::{AuditEvent, IMPORT};
use trailkeeper_domain::event::Outcome;
use trailkeeper_domain::id::TenantId;
use trailkeeper_parsers::access_log::{Format, LineReader, Traffic};
use trailkeeper_parsers::identity::Provider;

use crate::config::{self, DatabaseArgs, PageArgs};
use crate::failure::Failure;
use crate::import::{
    AuthLogTimes, Following, Recording, Source, Summary, follow_access_log, import_access_log, import_auth_log,
    import_events, import_memberships, import_records, import_tenants, import_users,
};
use crate::wiring::Ports;
use crate::{audit, output, wiring};

/// Files that an audit event names.
const NAMED_FILES: usize = 10;

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
    ///
    /// An event without `id` gets one that is made of its line and of the name of its log. So a file can be imported
    /// again, also after it has grown.
    Events(EventFiles),
    /// Import users from NDJSON, with the fields of `PUT /v1/users/{user_id}`.
    ///
    /// Each line also has `user_id`, and optionally `tenants`, a list of objects with `tenant_id` and `created_at`.
    Users(RecordFile),
    /// Import tenants from NDJSON, with `tenant_id` and the fields of `PUT /v1/tenants/{tenant_id}`.
    Tenants(RecordFile),
    /// Import memberships of users in tenants from NDJSON, with `tenant_id`, `user_id` and optionally `created_at`.
    Memberships(RecordFile),
    /// Import an access log: the combined or the common format, with or without a virtual host in front, JSON lines of
    /// nginx, Caddy and Traefik, or any format of nginx and Apache.
    ///
    /// A line is stored once: it is known by the name of its log, its content, and its number among equal lines. So a
    /// log can be imported again, also after it has grown or was rotated. Name all parts of it that may contain equal
    /// lines in one command.
    AccessLog(AccessLogFiles),
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
struct EventFiles {
    /// Paths of the files, compressed with gzip, zstd or not; `-` reads standard input.
    #[arg(required = true, value_name = "FILE")]
    files: Vec<PathBuf>,
    // Not `--log`: that is the filter of the program's own log lines, for every command.
    /// Name of the log that the files are parts of. Equal lines of logs with different names are different events.
    #[arg(long, default_value = "default", value_name = "NAME", value_parser = NonEmptyStringValueParser::new())]
    log_name: String,
    /// Record all events in this tenant.
    #[arg(long, value_parser = config::customer, value_name = "UUID")]
    tenant: Option<TenantId>,
    #[command(flatten)]
    pages: PageArgs,
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

#[derive(Args)]
struct AccessLogFiles {
    #[command(flatten)]
    events: EventFiles,
    /// Format of the lines: nginx's `log_format` or Apache's `LogFormat`, without the quotes around it.
    #[arg(long, value_name = "FORMAT", value_parser = Format::parse)]
    format: Option<Format>,
    /// Let requests of known bots be page loads.
    ///
    /// Without it they are events of the type `request`, recognised by their user agent.
    #[arg(long)]
    keep_bots: bool,
    /// Let requests for static files be page loads.
    ///
    /// Without it they are events of the type `request`, recognised by the ending of the path, such as `.css`.
    #[arg(long)]
    keep_assets: bool,
    /// Go on with each line that is added, also when the log is rotated, until SIGINT or SIGTERM.
    #[arg(long)]
    follow: bool,
    /// File that says up to where the log was followed, so that the next run goes on there.
    #[arg(long, value_name = "FILE", requires = "follow")]
    checkpoint: Option<PathBuf>,
}

impl AccessLogFiles {
    /// What to follow, if that was asked for.
    fn following(&self) -> Result<Option<Following<'_>>, Failure> {
        match self.events.files.as_slice() {
            _ if !self.follow => Ok(None),
            [path] if path.as_os_str() != "-" => {
                Following::begin(path, self.checkpoint.as_deref(), &self.events.log_name).map(Some)
            }
            _ => Err(Failure::Refused("--follow: name one file, the one that grows".to_owned())),
        }
    }

    fn reader(&self) -> LineReader {
        LineReader { format: self.format.clone(), traffic: Traffic::new(!self.keep_bots, !self.keep_assets) }
    }
}

impl What {
    /// The files to import, at least one.
    fn files(&self) -> &[PathBuf] {
        match self {
            Self::Events(events) => &events.files,
            Self::AccessLog(log) => &log.events.files,
            Self::Keycloak(records) | Self::Auth0(records) | Self::Cloudtrail(records) => {
                slice::from_ref(&records.file)
            }
            Self::Authlog(logs) => &logs.files,
            Self::Users(records) | Self::Tenants(records) | Self::Memberships(records) => {
                slice::from_ref(&records.file)
            }
        }
    }

    /// How pages are stored; `None` for imports without events.
    fn pages(&self) -> Option<&PageArgs> {
        match self {
            Self::Events(events) | Self::AccessLog(AccessLogFiles { events, .. }) => Some(&events.pages),
            Self::Keycloak(records) | Self::Auth0(records) | Self::Cloudtrail(records) => Some(&records.pages),
            Self::Authlog(logs) => Some(&logs.pages),
            Self::Users(_) | Self::Tenants(_) | Self::Memberships(_) => None,
        }
    }

    /// How to record the events, of imports of events.
    fn recording(&self) -> Option<Recording> {
        match self {
            Self::Events(events) | Self::AccessLog(AccessLogFiles { events, .. }) => {
                Some(Recording { tenant: events.tenant, log: events.log_name.clone() })
            }
            Self::Keycloak(records) | Self::Auth0(records) | Self::Cloudtrail(records) => {
                Some(Recording { tenant: records.tenant, log: String::new() })
            }
            Self::Authlog(logs) => Some(Recording { tenant: logs.tenant, log: String::new() }),
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

    /// The summary before the first line.
    fn summary(&self) -> Summary {
        match self {
            Self::Users(_) | Self::Tenants(_) | Self::Memberships(_) => Summary::new("created", "replaced"),
            Self::Keycloak(_) | Self::Auth0(_) | Self::Cloudtrail(_) => Summary::new("stored", "known").of_records(),
            Self::Events(_) | Self::AccessLog(_) | Self::Authlog(_) => Summary::new("stored", "known"),
        }
    }
}

/// The files of an import, opened, or the one that it follows.
struct Input<'a> {
    sources: Vec<Source>,
    following: Option<Following<'a>>,
}

/// Imports the input.
fn import(ports: &Ports, input: Input<'_>, what: &What, summary: &mut Summary) -> Result<(), Failure> {
    let Input { mut sources, following } = input;
    let Some(recording) = what.recording() else {
        let put = match what {
            What::Users(_) => import_users,
            What::Tenants(_) => import_tenants,
            _ => import_memberships,
        };
        return sources.drain(..).try_for_each(|source| put(ports, source, summary));
    };
    let provider = match what {
        What::AccessLog(log) => {
            return match following {
                Some(following) => follow_access_log(ports, following, &recording, log.reader(), summary),
                None => import_access_log(ports, sources, &recording, log.reader(), summary),
            };
        }
        What::Authlog(logs) => return import_auth_log(ports, sources, &recording, &logs.times, summary),
        What::Keycloak(_) => Provider::Keycloak,
        What::Auth0(_) => Provider::Auth0,
        What::Cloudtrail(_) => Provider::CloudTrail,
        _ => return import_events(ports, sources, &recording, summary),
    };
    sources.drain(..).try_for_each(|source| import_records(ports, source, provider, &recording, summary))
}

/// Imports files and prints how many of their lines or records were stored, known and rejected.
pub fn run(database: &DatabaseArgs, args: &ImportArgs) -> Result<(), Failure> {
    let what = &args.what;
    let files = what.files();
    let following = match what {
        What::AccessLog(log) => log.following()?,
        _ => None,
    };
    // First, so that a wrong file name is reported before a database is created.
    let opened = files.iter().filter(|_| following.is_none());
    let sources = opened.map(|file| Source::open(file)).collect::<Result<Vec<_>, _>>()?;
    let ports = match what.pages() {
        Some(pages) => wiring::open_to_record(database, pages)?,
        None => wiring::open(database)?,
    };
    let mut summary = what.summary();
    let file_names = names(files);
    let about = |event: AuditEvent| {
        let event = event.with("what", what.name()).with("file", file_names.as_str());
        match what {
            What::Events(events) | What::AccessLog(AccessLogFiles { events, .. }) => {
                event.with("log", events.log_name.as_str())
            }
            _ => event,
        }
    };
    // Before the first line is stored, so that an import that is killed has an audit event.
    let start = AuditEvent { outcome: Outcome::Unknown, ..AuditEvent::done(IMPORT) }.with("phase", "start");
    let start = audit::record(&ports, about(start))?;
    let done = import(&ports, Input { sources, following }, what, &mut summary);
    if what.pages().is_some() {
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
        return Err(Failure::Refused(format!("{file_names}: no line could be imported")));
    }
    Ok(())
}

/// The names of the first files, and the number of the others.
fn names(files: &[PathBuf]) -> String {
    let first = files.iter().take(NAMED_FILES).map(|file| file.display().to_string()).collect::<Vec<_>>().join(", ");
    match files.len().saturating_sub(NAMED_FILES) {
        0 => first,
        more => format!("{first} and {more} more"),
    }
}
