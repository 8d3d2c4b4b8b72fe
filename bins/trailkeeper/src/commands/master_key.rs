//! `trailkeeper master-key`: the key that seals secrets at rest.

use clap::{Args, Subcommand};

use crate::config::{AccessArgs, DatabaseArgs};
use crate::failure::Failure;
use crate::rotation::{Rotated, rotate};
use crate::{output, wiring};

/// Arguments of `master-key`.
#[derive(Args)]
pub struct MasterKeyArgs {
    #[command(flatten)]
    access: AccessArgs,
    #[command(subcommand)]
    action: Action,
}

#[derive(Subcommand)]
enum Action {
    /// Generate a new key and reseal all secrets with it. Servers keep running.
    ///
    /// The old key stays next to the new one, as `master.key.previous`, for servers that have not read the new one yet and
    /// for secrets sealed during the rotation. The next rotation finishes an interrupted one. If `TRAILKEEPER_MASTER_KEY`
    /// gives the key, first set a new key there and the old one in `TRAILKEEPER_MASTER_KEY_PREVIOUS`.
    Rotate,
}

/// Runs the command on the database, also while a server uses it.
pub fn run(database: &DatabaseArgs, args: &MasterKeyArgs) -> Result<(), Failure> {
    let Action::Rotate = args.action;
    let ports = wiring::open(database)?;
    match rotate(database, &args.access, &ports, &wiring::context())? {
        Rotated::Files { files, resealed } => {
            output::line(format!("generated a new master key and sealed {resealed} secrets with it"))?;
            output::line(format!("new       {}", files.current().display()))?;
            output::line(format!("previous  {}", files.previous().display()))
        }
        Rotated::Given { resealed } => {
            output::line(format!("sealed {resealed} secrets with the key of TRAILKEEPER_MASTER_KEY"))?;
            output::line("TRAILKEEPER_MASTER_KEY_PREVIOUS is no longer needed once every server has the new key")
        }
    }
}
