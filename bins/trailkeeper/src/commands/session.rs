//! `trailkeeper session`: login sessions.

use std::collections::HashMap;

use clap::{Args, Subcommand};
use serde::Serialize;
use trailkeeper_auth::Access;
use trailkeeper_domain::account::{Session, SessionFilter};
use trailkeeper_domain::id::{AccountId, SessionId};
use trailkeeper_domain::time::{self, Timestamp};

use crate::config::{self, AccessArgs, DatabaseArgs};
use crate::failure::Failure;
use crate::master_key::KeyUse;
use crate::wiring::Ports;
use crate::{access, output, wiring};

/// Arguments of `session`.
#[derive(Args)]
pub struct SessionArgs {
    #[command(flatten)]
    access: AccessArgs,
    #[command(subcommand)]
    action: Action,
}

#[derive(Subcommand)]
enum Action {
    /// List the open sessions, newest first.
    List {
        /// Only the sessions of the account with this e-mail.
        #[arg(long, value_name = "E-MAIL")]
        account: Option<String>,
        /// Include ended and expired sessions.
        #[arg(long)]
        past: bool,
        /// Print JSON.
        #[arg(long)]
        json: bool,
    },
    /// End a session, or all sessions of an account. Their tokens stop working.
    End(EndArgs),
}

#[derive(Args)]
#[group(required = true, multiple = false)]
struct EndArgs {
    /// Id of the session, as `list` prints it.
    #[arg(value_parser = session, value_name = "ID")]
    id: Option<SessionId>,
    /// End all sessions of the account with this e-mail.
    #[arg(long, value_name = "E-MAIL")]
    account: Option<String>,
}

/// Parses the id of a session.
fn session(value: &str) -> Result<SessionId, String> {
    SessionId::parse("id", value).map_err(|error| config::detail(&error))
}

/// Runs the command on the database, also while a server uses it.
pub fn run(database: &DatabaseArgs, args: &SessionArgs) -> Result<(), Failure> {
    let ports = wiring::open(database)?;
    let access = access::open(&ports, database, &args.access, KeyUse::Nothing)?;
    let context = wiring::context();
    match &args.action {
        Action::List { account, past, json } => {
            let now = ports.clock.now();
            let account_id = account.as_deref().map(|email| account_id(&access, &ports, email)).transpose()?;
            let filter = SessionFilter { account_id, live_at: (!past).then_some(now) };
            let views = views(&access, filter).map_err(|error| ports.failed(error))?;
            if *json { output::json(&views) } else { list(views, now) }
        }
        Action::End(EndArgs { id: Some(id), .. }) => {
            access.end_session(&context, *id).map_err(|error| ports.failed(error))?;
            output::line(format!("session {id} is ended"))
        }
        Action::End(EndArgs { account, .. }) => {
            let email = account.as_deref().unwrap_or_default();
            let account = account_id(&access, &ports, email)?;
            let ended = access.end_sessions_of(&context, account, None).map_err(|error| ports.failed(error))?;
            output::line(format!("ended sessions of {email}: {ended}"))
        }
    }
}

fn account_id(access: &Access, ports: &Ports, email: &str) -> Result<AccountId, Failure> {
    access.account_with_email(email).map(|account| account.id).map_err(|error| ports.failed(error))
}

#[derive(Serialize)]
struct SessionView {
    id: String,
    account_id: String,
    email: String,
    source: Option<String>,
    user_agent: Option<String>,
    started_at: String,
    refreshed_at: String,
    expires_at: String,
    ended_at: Option<String>,
    #[serde(skip)]
    until: Timestamp,
}

fn views(access: &Access, filter: SessionFilter) -> trailkeeper_domain::Result<Vec<SessionView>> {
    let sessions = wiring::all(|cursor, limit| access.sessions(filter, cursor, limit))?;
    let accounts = wiring::all(|cursor, limit| access.accounts(cursor, limit))?;
    let emails: HashMap<_, _> = accounts.into_iter().map(|account| (account.id, account.email)).collect();
    Ok(sessions
        .into_iter()
        .map(|session| {
            // No e-mail if the account was created or deleted between the two reads.
            let email = emails.get(&session.account_id).cloned().unwrap_or_default();
            SessionView::new(session, email)
        })
        .collect())
}

impl SessionView {
    fn new(session: Session, email: String) -> Self {
        Self {
            id: session.id.to_string(),
            account_id: session.account_id.to_string(),
            email,
            source: session.source.map(|address| address.to_string()),
            user_agent: session.user_agent,
            started_at: time::rfc3339(session.started_at),
            refreshed_at: time::rfc3339(session.refreshed_at),
            expires_at: time::rfc3339(session.expires_at),
            ended_at: session.ended_at.map(time::rfc3339),
            until: session.expires_at,
        }
    }
}

fn list(sessions: Vec<SessionView>, now: Timestamp) -> Result<(), Failure> {
    let rows: Vec<_> = sessions
        .into_iter()
        .map(|view| {
            let state = match view.ended_at {
                Some(at) => format!("ended {at}"),
                None if view.until <= now => format!("expired {}", view.expires_at),
                None => format!("until {}", view.expires_at),
            };
            [view.id, view.email, output::or_dash(view.source), view.started_at, view.refreshed_at, state]
        })
        .collect();
    output::table(["ID", "E-MAIL", "SOURCE", "STARTED", "REFRESHED", "STATE"], &rows)
}
