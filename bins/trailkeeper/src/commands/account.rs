//! `trailkeeper account`: the accounts that may log in.

use std::io::{self, BufRead};

use clap::{Args, Subcommand};
use serde::Serialize;
use trailkeeper_auth::{Access, AccountChange, NewAccount};
use trailkeeper_domain::account::{Account, Role};
use trailkeeper_domain::id::TenantId;
use trailkeeper_domain::time;

use crate::config::{self, AccessArgs, DatabaseArgs};
use crate::failure::Failure;
use crate::master_key::KeyUse;
use crate::{access, output, wiring};

/// Arguments of `account`.
#[derive(Args)]
pub struct AccountArgs {
    #[command(flatten)]
    access: AccessArgs,
    #[command(subcommand)]
    action: Action,
}

#[derive(Subcommand)]
enum Action {
    /// Create an account. Its password is generated and printed once, or read from standard input.
    Create {
        /// E-mail of the account.
        email: String,
        /// Role: admin, analyst, auditor or ingest.
        #[arg(long, value_parser = config::role)]
        role: Role,
        /// Limit it to this tenant. Default: all tenants.
        #[arg(long, value_parser = config::tenant, value_name = "UUID")]
        tenant: Option<TenantId>,
        /// Display name. Default: the e-mail.
        #[arg(long, value_name = "TEXT")]
        display_name: Option<String>,
        #[command(flatten)]
        password: PasswordArgs,
        /// Print JSON.
        #[arg(long)]
        json: bool,
    },
    /// List all accounts.
    List {
        /// Print JSON.
        #[arg(long)]
        json: bool,
    },
    /// Change an account. A new role or tenant ends its sessions.
    Change {
        /// E-mail of the account.
        email: String,
        #[command(flatten)]
        change: ChangeArgs,
        /// Print JSON.
        #[arg(long)]
        json: bool,
    },
    /// Delete an account and end its sessions. Its past actions stay in the audit trail.
    Delete {
        /// E-mail of the account.
        email: String,
    },
    /// Set a new password and end the account's sessions.
    SetPassword {
        /// E-mail of the account.
        email: String,
        #[command(flatten)]
        password: PasswordArgs,
    },
    /// Disable an account, so that it cannot log in, and end its sessions.
    Disable {
        /// E-mail of the account.
        email: String,
    },
    /// Enable a disabled account, so that it can log in again.
    Enable {
        /// E-mail of the account.
        email: String,
    },
}

#[derive(Args)]
#[group(required = true, multiple = true)]
struct ChangeArgs {
    /// New e-mail. The account logs in with it.
    #[arg(long = "email", id = "new_email", value_name = "E-MAIL")]
    email: Option<String>,
    /// New display name.
    #[arg(long, value_name = "TEXT")]
    display_name: Option<String>,
    /// Role: admin, analyst, auditor or ingest.
    #[arg(long, value_parser = config::role)]
    role: Option<Role>,
    /// Limit it to this tenant.
    #[arg(long, value_parser = config::tenant, value_name = "UUID", conflicts_with = "all_tenants")]
    tenant: Option<TenantId>,
    /// Give it access to all tenants.
    #[arg(long)]
    all_tenants: bool,
}

impl ChangeArgs {
    fn change(&self) -> AccountChange {
        AccountChange {
            email: self.email.clone(),
            display_name: self.display_name.clone(),
            role: self.role,
            tenant_id: if self.all_tenants { Some(None) } else { self.tenant.map(Some) },
            ..AccountChange::default()
        }
    }
}

// There is no flag for the password itself: other users of the machine can read the command line.
#[derive(Args)]
struct PasswordArgs {
    /// Read the password from the first line of standard input.
    #[arg(long)]
    password_stdin: bool,
}

/// Runs the command on the database, also while a server uses it.
pub fn run(database: &DatabaseArgs, args: &AccountArgs) -> Result<(), Failure> {
    let ports = wiring::open(database)?;
    let access = access::open(&ports, database, &args.access, KeyUse::Nothing)?;
    let context = wiring::context();
    match &args.action {
        Action::Create { email, role, tenant, display_name, password, json } => {
            let (password, generated) = password.get(&access)?;
            let new = NewAccount {
                email: email.clone(),
                display_name: display_name.clone(),
                password,
                role: *role,
                tenant_id: *tenant,
            };
            let account = access.create_account(&context, new).map_err(|error| ports.failed(error))?;
            print(&account, generated, *json)
        }
        Action::List { json } => {
            let accounts =
                wiring::all(|cursor, limit| access.accounts(cursor, limit)).map_err(|error| ports.failed(error))?;
            list(&accounts, *json)
        }
        Action::Change { email, change, json } => {
            let account = access
                .account_with_email(email)
                .and_then(|account| access.change_account(&context, account.id, change.change()))
                .map_err(|error| ports.failed(error))?;
            print(&account, None, *json)
        }
        Action::Delete { email } => {
            access
                .account_with_email(email)
                .and_then(|account| access.delete_account(&context, account.id))
                .map_err(|error| ports.failed(error))?;
            output::line(format!("{email} is deleted"))
        }
        Action::SetPassword { email, password } => {
            let (password, generated) = password.get(&access)?;
            access.set_password(&context, email, &password).map_err(|error| ports.failed(error))?;
            match generated {
                Some(password) => output::line(format!("password  {password}")),
                None => output::line(format!("the password of {email} is set")),
            }
        }
        Action::Disable { email } => {
            access.set_disabled(&context, email, true).map_err(|error| ports.failed(error))?;
            output::line(format!("{email} is disabled"))
        }
        Action::Enable { email } => {
            access.set_disabled(&context, email, false).map_err(|error| ports.failed(error))?;
            output::line(format!("{email} is enabled"))
        }
    }
}

impl PasswordArgs {
    /// The password. The second value repeats it if it was generated and must be shown.
    fn get(&self, access: &Access) -> Result<(String, Option<String>), Failure> {
        if !self.password_stdin {
            let password = access.generate_password();
            return Ok((password.clone(), Some(password)));
        }
        let password = first_line(std::io::stdin().lock())
            .map_err(|source| Failure::Io { what: "the password on standard input".to_owned(), source })?;
        Ok((password, None))
    }
}

/// The first line, without its line end and without the byte order mark that some shells write. Spaces belong to the
/// password.
fn first_line(mut input: impl BufRead) -> io::Result<String> {
    let mut line = String::new();
    input.read_line(&mut line)?;
    Ok(line.trim_start_matches('\u{feff}').trim_end_matches(['\r', '\n']).to_owned())
}

#[derive(Serialize)]
struct AccountView {
    id: String,
    email: String,
    display_name: String,
    role: &'static str,
    tenant_id: Option<String>,
    disabled_at: Option<String>,
    created_at: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    password: Option<String>,
}

impl AccountView {
    fn new(account: &Account, password: Option<String>) -> Self {
        Self {
            id: account.id.to_string(),
            email: account.email.clone(),
            display_name: account.display_name.clone(),
            role: account.role.as_str(),
            tenant_id: account.tenant_id.map(|id| id.to_string()),
            disabled_at: account.disabled_at.map(time::rfc3339),
            created_at: time::rfc3339(account.created_at),
            password,
        }
    }
}

fn print(account: &Account, generated: Option<String>, json: bool) -> Result<(), Failure> {
    if json {
        return output::json(&AccountView::new(account, generated));
    }
    output::line(format!("id        {}", account.id))?;
    output::line(format!("email     {}", account.email))?;
    output::line(format!("role      {}", account.role.as_str()))?;
    match generated {
        Some(password) => output::line(format!("password  {password}")),
        None => Ok(()),
    }
}

fn list(accounts: &[Account], json: bool) -> Result<(), Failure> {
    let views: Vec<_> = accounts.iter().map(|account| AccountView::new(account, None)).collect();
    if json {
        return output::json(&views);
    }
    let rows: Vec<_> = views
        .into_iter()
        .map(|view| {
            let state = view.disabled_at.map_or_else(|| "active".to_owned(), |at| format!("disabled {at}"));
            [view.id, view.email, view.role.to_owned(), output::or_dash(view.tenant_id), state, view.created_at]
        })
        .collect();
    output::table(["ID", "E-MAIL", "ROLE", "TENANT", "STATE", "CREATED"], &rows)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_password_is_read_the_same_from_every_shell() {
        for (input, expected) in [
            ("correct horse\n", "correct horse"),
            ("correct horse", "correct horse"),
            ("  correct horse \r\nsecond line", "  correct horse "),
            ("\u{feff}correct horse\r\n", "correct horse"),
            ("", ""),
        ] {
            assert_eq!(first_line(input.as_bytes()).unwrap(), expected, "{input:?}");
        }
        assert!(first_line(&b"caf\xe9 au lait"[..]).is_err(), "Latin-1 would be another password at the next login");
    }
}
