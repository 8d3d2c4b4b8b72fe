//! `trailkeeper openapi`.

use clap::{Args, ValueEnum};
use trailkeeper_http::{Contract, merged_json, openapi_json};

use crate::failure::Failure;
use crate::output;

/// Arguments of `openapi`.
#[derive(Args)]
pub struct OpenapiArgs {
    /// Whose document; default: all contracts in one.
    #[arg(long, value_enum)]
    contract: Option<Which>,
}

#[derive(Clone, Copy, ValueEnum)]
enum Which {
    /// SaaSus Analysis.
    Saasus,
    /// Octopai login and user events.
    Octopai,
    /// Cripsa Audit Log.
    Cripsa,
    /// The native API.
    Native,
}

/// Prints a document, as it is committed.
pub fn run(args: &OpenapiArgs) -> Result<(), Failure> {
    let document = match args.contract {
        Some(Which::Saasus) => openapi_json(Contract::Saasus),
        Some(Which::Octopai) => openapi_json(Contract::Octopai),
        Some(Which::Cripsa) => openapi_json(Contract::Cripsa),
        Some(Which::Native) => openapi_json(Contract::Native),
        None => merged_json(),
    };
    output::write(&document)
}
