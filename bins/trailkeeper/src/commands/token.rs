//! `trailkeeper token`: API tokens.

use chrono::Duration;
use clap::{Args, Subcommand};
use serde::Serialize;
use trailkeeper_auth::{NewToken, TokenChange};
use trailkeeper_domain::account::{ApiToken, Role};
use trailkeeper_domain::id::{CredentialId, TenantId};
use trailkeeper_domain::time::{self, Timestamp};

use crate::config::{self, AccessArgs, DatabaseArgs};
use crate::failure::Failure;
use crate::master_key::KeyUse;
use crate::{access, output, wiring};

/// Arguments of `token`.
#[derive(Args)]
pub struct TokenArgs {
    #[command(flatten)]
    access: AccessArgs,
    #[command(subcommand)]
    action: Action,
}

#[derive(Subcommand)]
enum Action {
    /// Create a token. It is printed once; the database stores only its hash.
    Create {
        /// Role: admin, analyst, auditor or ingest.
        #[arg(long, value_parser = config::role)]
        role: Role,
        /// Limit it to this tenant. Default: all tenants.
        #[arg(long, value_parser = config::tenant, value_name = "UUID")]
        tenant: Option<TenantId>,
        /// Name of the token.
        #[arg(long, value_name = "TEXT")]
        name: String,
        /// Days until it expires. Default: it does not expire.
        #[arg(long, value_name = "NUMBER", value_parser = clap::value_parser!(u32).range(1..=36_500))]
        expires_in_days: Option<u32>,
        /// Print JSON.
        #[arg(long)]
        json: bool,
    },
    /// List all tokens, including revoked ones.
    List {
        /// Print JSON.
        #[arg(long)]
        json: bool,
    },
    /// Change the name or the expiry of a token. A revoked or expired token cannot be changed.
    Change {
        /// Id of the token, as `list` prints it.
        #[arg(value_parser = credential, value_name = "ID")]
        id: CredentialId,
        #[command(flatten)]
        change: ChangeArgs,
        /// Print JSON.
        #[arg(long)]
        json: bool,
    },
    /// Revoke a token.
    Revoke {
        /// Id of the token, as `list` prints it.
        #[arg(value_parser = credential, value_name = "ID")]
        id: CredentialId,
    },
}

#[derive(Args)]
#[group(required = true, multiple = true)]
struct ChangeArgs {
    /// New name of the token.
    #[arg(long, value_name = "TEXT")]
    name: Option<String>,
    /// Days from now until it expires.
    #[arg(long, value_name = "NUMBER", value_parser = clap::value_parser!(u32).range(1..=36_500), conflicts_with = "never_expires")]
    expires_in_days: Option<u32>,
    /// Remove the expiry: the token works until it is revoked.
    #[arg(long)]
    never_expires: bool,
}

impl ChangeArgs {
    fn change(&self, now: Timestamp) -> TokenChange {
        let expires_at =
            if self.never_expires { Some(None) } else { self.expires_in_days.map(|days| Some(end(now, days))) };
        TokenChange { name: self.name.clone(), expires_at }
    }
}

fn end(now: Timestamp, days: u32) -> Timestamp {
    now + Duration::days(i64::from(days))
}

/// Parses the id of a credential.
pub fn credential(value: &str) -> Result<CredentialId, String> {
    CredentialId::parse("id", value).map_err(|error| config::detail(&error))
}

/// Runs the command on the database, also while a server uses it.
pub fn run(database: &DatabaseArgs, args: &TokenArgs) -> Result<(), Failure> {
    let ports = wiring::open(database)?;
    let access = access::open(&ports, database, &args.access, KeyUse::Nothing)?;
    let context = wiring::context();
    match &args.action {
        Action::Create { role, tenant, name, expires_in_days, json } => {
            let expires_at = expires_in_days.map(|days| end(ports.clock.now(), days));
            let new = NewToken { name: name.clone(), role: *role, tenant_id: *tenant, expires_at };
            let (token, plain) = access.create_token(&context, new).map_err(|error| ports.failed(error))?;
            let created = Created { id: token.id.to_string(), token: plain.expose() };
            if *json {
                return output::json(&created);
            }
            output::line(format!("id     {}", created.id))?;
            output::line(format!("token  {}", created.token))
        }
        Action::List { json } => {
            let tokens =
                wiring::all(|cursor, limit| access.tokens(cursor, limit)).map_err(|error| ports.failed(error))?;
            list(&tokens, ports.clock.now(), *json)
        }
        Action::Change { id, change, json } => {
            let now = ports.clock.now();
            let token = access.change_token(&context, *id, change.change(now)).map_err(|error| ports.failed(error))?;
            if *json { output::json(&TokenView::new(&token)) } else { list(&[token], now, false) }
        }
        Action::Revoke { id } => {
            access.revoke_token(&context, *id).map_err(|error| ports.failed(error))?;
            output::line(format!("token {id} is revoked"))
        }
    }
}

#[derive(Serialize)]
struct Created<'a> {
    id: String,
    token: &'a str,
}

#[derive(Serialize)]
struct TokenView {
    id: String,
    name: String,
    role: &'static str,
    tenant_id: Option<String>,
    created_at: String,
    expires_at: Option<String>,
    last_used_at: Option<String>,
    revoked_at: Option<String>,
}

impl TokenView {
    fn new(token: &ApiToken) -> Self {
        Self {
            id: token.id.to_string(),
            name: token.name.clone(),
            role: token.role.as_str(),
            tenant_id: token.tenant_id.map(|id| id.to_string()),
            created_at: time::rfc3339(token.created_at),
            expires_at: token.expires_at.map(time::rfc3339),
            last_used_at: token.last_used_at.map(time::rfc3339),
            revoked_at: token.revoked_at.map(time::rfc3339),
        }
    }
}

fn list(tokens: &[ApiToken], now: Timestamp, json: bool) -> Result<(), Failure> {
    if json {
        return output::json(&tokens.iter().map(TokenView::new).collect::<Vec<_>>());
    }
    let rows: Vec<_> = tokens
        .iter()
        .map(|token| {
            let view = TokenView::new(token);
            let state = match (view.revoked_at, view.expires_at) {
                (Some(at), _) => format!("revoked {at}"),
                (None, Some(at)) if token.expires_at.is_some_and(|end| end <= now) => format!("expired {at}"),
                (None, Some(at)) => format!("until {at}"),
                (None, None) => "active".to_owned(),
            };
            [
                view.id,
                view.name,
                view.role.to_owned(),
                output::or_dash(view.tenant_id),
                state,
                output::or_dash(view.last_used_at),
            ]
        })
        .collect();
    output::table(["ID", "NAME", "ROLE", "TENANT", "STATE", "LAST USED"], &rows)
}
