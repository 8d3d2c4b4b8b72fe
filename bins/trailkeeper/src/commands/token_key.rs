//! `trailkeeper token-key`: the keys that sign access tokens.

use clap::{Args, Subcommand};
use serde::Serialize;
use trailkeeper_auth::{OldKeys, TokenKeyInfo};
use trailkeeper_domain::time;

use crate::config::{AccessArgs, DatabaseArgs};
use crate::failure::Failure;
use crate::master_key::KeyUse;
use crate::{access, output, wiring};

/// Arguments of `token-key`.
#[derive(Args)]
pub struct TokenKeyArgs {
    #[command(flatten)]
    access: AccessArgs,
    #[command(subcommand)]
    action: Action,
}

#[derive(Subcommand)]
enum Action {
    /// List the keys, newest first.
    List {
        /// Print JSON.
        #[arg(long)]
        json: bool,
    },
    /// Create a new key. Servers sign with it after five seconds; tokens of older keys stay valid until they expire.
    Rotate {
        /// Remove all older keys, for example after a theft. All access tokens stop working on every server within two
        /// seconds; clients get a new one at their next refresh.
        #[arg(long)]
        revoke_others: bool,
        /// Print JSON.
        #[arg(long)]
        json: bool,
    },
}

/// Runs the command on the database, also while a server uses it.
pub fn run(database: &DatabaseArgs, args: &TokenKeyArgs) -> Result<(), Failure> {
    let ports = wiring::open(database)?;
    let key_use = if matches!(args.action, Action::Rotate { .. }) { KeyUse::Secrets } else { KeyUse::Nothing };
    let access = access::open(&ports, database, &args.access, key_use)?;
    match &args.action {
        Action::List { json } => list(&access.token_keys().map_err(|error| ports.failed(error))?, *json),
        Action::Rotate { revoke_others, json } => {
            let old = if *revoke_others { OldKeys::Revoke } else { OldKeys::Keep };
            let rotated = access.rotate_token_key(&wiring::context(), old).map_err(|error| ports.failed(error))?;
            if *json {
                return output::json(&RotatedView { kid: &rotated.kid, revoked: &rotated.revoked });
            }
            let signs = if *revoke_others { "from now on" } else { "in five seconds" };
            output::line(format!("token key {} is created and signs {signs}", rotated.kid))?;
            rotated.revoked.iter().try_for_each(|kid| output::line(format!("token key {kid} is removed")))
        }
    }
}

#[derive(Serialize)]
struct RotatedView<'a> {
    kid: &'a str,
    revoked: &'a [String],
}

#[derive(Serialize)]
struct TokenKeyView {
    kid: String,
    created_at: String,
    signs: bool,
    verifies_until: Option<String>,
}

fn list(keys: &[TokenKeyInfo], json: bool) -> Result<(), Failure> {
    let views: Vec<_> = keys
        .iter()
        .map(|key| TokenKeyView {
            kid: key.kid.clone(),
            created_at: time::rfc3339(key.created_at),
            signs: key.signs,
            verifies_until: key.verifies_until.map(time::rfc3339),
        })
        .collect();
    if json {
        return output::json(&views);
    }
    let rows: Vec<_> = views
        .into_iter()
        .map(|view| {
            let state = match (view.signs, view.verifies_until) {
                (true, None) => "signs".to_owned(),
                (true, Some(until)) => format!("signs, verifies until {until}"),
                (false, None) => "about to sign".to_owned(),
                (false, Some(until)) => format!("verifies until {until}"),
            };
            [view.kid, view.created_at, state]
        })
        .collect();
    output::table(["KEY", "CREATED", "STATE"], &rows)
}
