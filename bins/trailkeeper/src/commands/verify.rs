//! `trailkeeper verify`.

use clap::Args;
use trailkeeper_domain::user::{EmailOwner, SharedEmail};

use crate::config::DatabaseArgs;
use crate::failure::Failure;
use crate::verification::print_differences;
use crate::wiring::Ports;
use crate::{output, wiring};

/// Arguments of `verify`.
#[derive(Args)]
pub struct VerifyArgs {
    /// Number of differences to print. All are counted.
    #[arg(long, default_value_t = 100, value_name = "NUMBER")]
    limit: u64,
}

/// Compares all sheets and the index of events with the events, and looks for names that are missing; prints the
/// differences, and how many events, sheets, runs and deltas were compared. Fails if there is a difference.
pub fn run(database: &DatabaseArgs, args: &VerifyArgs) -> Result<(), Failure> {
    let ports = wiring::open(database)?;
    let verified = print_differences(ports.store.as_ref(), "months", args.limit, |error| ports.failed(error))?;
    if verified.differences > args.limit {
        output::line(format!("… and {} more (--limit)", verified.differences - args.limit))?;
    }
    output::line(format!(
        "{} events, {} sheets, {} runs and {} deltas were compared: {} differences",
        verified.events, verified.sheets, verified.runs, verified.deltas, verified.differences
    ))?;
    print_shared_emails(&ports)?;
    let sheets = "sheets or runs differ from the events; `trailkeeper rebuild` repairs them, also while a server runs";
    let names = "names of events are missing, and no command can bring them back; copy the missing rows from a backup of the database";
    match (verified.differences - verified.missing_names, verified.missing_names) {
        (0, 0) => Ok(()),
        (_, 0) => Err(Failure::Refused(sheets.to_owned())),
        (0, _) => Err(Failure::Refused(names.to_owned())),
        _ => Err(Failure::Refused(format!("{names}. Also {sheets}"))),
    }
}

/// Prints who shares an e-mail address. That is no failure: these records are older than the rule by which addresses are
/// compared, and keep working.
fn print_shared_emails(ports: &Ports) -> Result<(), Failure> {
    let shared = ports.store.reading(|tx| tx.shared_emails()).map_err(|error| ports.failed(error))?;
    for SharedEmail { user_pool_id, owners } in &shared {
        let owners: Vec<String> = owners
            .iter()
            .map(|(owner, email)| match owner {
                EmailOwner::User(id) => format!("user '{id}' ({email})"),
                EmailOwner::Account(id) => format!("account {id} ({email})"),
            })
            .collect();
        let place = match (user_pool_id, owners.first()) {
            (Some(pool), _) => format!("in the user pool '{pool}', "),
            (None, Some(owner)) if owner.starts_with("user") => "without a user pool, ".to_owned(),
            (None, _) => String::new(),
        };
        output::line(format!("{place}{} have the same e-mail address; change all but one", owners.join(" and ")))?;
    }
    Ok(())
}
