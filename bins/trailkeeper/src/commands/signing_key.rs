//! `trailkeeper signing-key`: the keys that sign requests to the SaaSus Analysis API.

use clap::{Args, Subcommand};
use serde::Serialize;
use trailkeeper_auth::NewSigningKey;
use trailkeeper_domain::account::SigningKey;
use trailkeeper_domain::id::{CredentialId, TenantId};
use trailkeeper_domain::time;

use crate::commands::token::credential;
use crate::config::{self, AccessArgs, DatabaseArgs};
use crate::failure::Failure;
use crate::master_key::KeyUse;
use crate::{access, output, wiring};

/// Arguments of `signing-key`.
#[derive(Args)]
pub struct SigningKeyArgs {
    #[command(flatten)]
    access: AccessArgs,
    #[command(subcommand)]
    action: Action,
}

#[derive(Subcommand)]
enum Action {
    /// Create a key. Its secret is printed once and stored sealed.
    Create {
        /// Name of the key.
        #[arg(long, value_name = "TEXT")]
        name: String,
        /// Limit it to this tenant. Default: all tenants.
        #[arg(long, value_parser = config::tenant, value_name = "UUID")]
        tenant: Option<TenantId>,
        /// Print JSON.
        #[arg(long)]
        json: bool,
    },
    /// List all keys, including revoked ones.
    List {
        /// Print JSON.
        #[arg(long)]
        json: bool,
    },
    /// Rename a key. A revoked key cannot be renamed.
    Rename {
        /// Id of the key, as `list` prints it.
        #[arg(value_parser = credential, value_name = "ID")]
        id: CredentialId,
        /// New name of the key.
        #[arg(long, value_name = "TEXT")]
        name: String,
    },
    /// Revoke a key.
    Revoke {
        /// Id of the key, as `list` prints it.
        #[arg(value_parser = credential, value_name = "ID")]
        id: CredentialId,
    },
}

/// Runs the command on the database, also while a server uses it.
pub fn run(database: &DatabaseArgs, args: &SigningKeyArgs) -> Result<(), Failure> {
    let ports = wiring::open(database)?;
    let key_use = if matches!(args.action, Action::Create { .. }) { KeyUse::Secrets } else { KeyUse::Nothing };
    let access = access::open(&ports, database, &args.access, key_use)?;
    let context = wiring::context();
    match &args.action {
        Action::Create { name, tenant, json } => {
            let new = NewSigningKey { name: name.clone(), tenant_id: *tenant };
            let (key, secret) = access.create_signing_key(&context, new).map_err(|error| ports.failed(error))?;
            let created = Created { saas_id: &key.saas_id, api_key: &key.api_key, secret_key: secret.expose() };
            if *json {
                return output::json(&created);
            }
            output::line(format!("id          {}", key.id))?;
            output::line(format!("saas_id     {}", created.saas_id))?;
            output::line(format!("api_key     {}", created.api_key))?;
            output::line(format!("secret_key  {}", created.secret_key))
        }
        Action::List { json } => {
            let keys =
                wiring::all(|cursor, limit| access.signing_keys(cursor, limit)).map_err(|error| ports.failed(error))?;
            list(&keys, *json)
        }
        Action::Rename { id, name } => {
            access.rename_signing_key(&context, *id, name).map_err(|error| ports.failed(error))?;
            output::line(format!("signing key {id} is renamed"))
        }
        Action::Revoke { id } => {
            access.revoke_signing_key(&context, *id).map_err(|error| ports.failed(error))?;
            output::line(format!("signing key {id} is revoked"))
        }
    }
}

#[derive(Serialize)]
struct Created<'a> {
    saas_id: &'a str,
    api_key: &'a str,
    secret_key: &'a str,
}

#[derive(Serialize)]
struct SigningKeyView {
    id: String,
    name: String,
    saas_id: String,
    api_key: String,
    tenant_id: Option<String>,
    created_at: String,
    revoked_at: Option<String>,
}

fn list(keys: &[SigningKey], json: bool) -> Result<(), Failure> {
    let views: Vec<_> = keys
        .iter()
        .map(|key| SigningKeyView {
            id: key.id.to_string(),
            name: key.name.clone(),
            saas_id: key.saas_id.clone(),
            api_key: key.api_key.clone(),
            tenant_id: key.tenant_id.map(|id| id.to_string()),
            created_at: time::rfc3339(key.created_at),
            revoked_at: key.revoked_at.map(time::rfc3339),
        })
        .collect();
    if json {
        return output::json(&views);
    }
    let rows: Vec<_> = views
        .into_iter()
        .map(|view| {
            let state = view.revoked_at.map_or_else(|| "active".to_owned(), |at| format!("revoked {at}"));
            [view.id, view.name, view.saas_id, view.api_key, output::or_dash(view.tenant_id), state]
        })
        .collect();
    output::table(["ID", "NAME", "SAAS ID", "API KEY", "TENANT", "STATE"], &rows)
}
