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
    /// Make a new key and seal everything with it. Running servers go on.
    ///
    /// The old key stays beside the new one, as `master.key.previous`, for servers that have not seen the new one yet and
    /// for what was sealed at this very moment. A rotation that was broken off is finished by the next one. Where the key
    /// is given as `TRAILKEEPER_MASTER_KEY`, set a new one there and the old one as `TRAILKEEPER_MASTER_KEY_PREVIOUS` first.
    Rotate,
}

/// Does what was asked for, directly on the database, beside a running server.
pub fn run(database: &DatabaseArgs, args: &MasterKeyArgs) -> Result<(), Failure> {
    let Action::Rotate = args.action;
    let ports = wiring::open(database)?;
    match rotate(database, &args.access, &ports, &wiring::context())? {
        Rotated::Files { files, resealed } => {
            output::line(format!("made a new master key and sealed {resealed} secrets with it"))?;
            output::line(format!("new       {}", files.current().display()))?;
            output::line(format!("previous  {}", files.previous().display()))
        }
        Rotated::Given { resealed } => {
            output::line(format!("sealed {resealed} secrets with the key of TRAILKEEPER_MASTER_KEY"))?;
            output::line("TRAILKEEPER_MASTER_KEY_PREVIOUS is not needed any more once every server has the new key")
        }
    }
}
