//! `trailkeeper openapi`.

use clap::{Args, ValueEnum};
use trailkeeper_http::{Contract, merged_json, openapi_json};

use crate::failure::Failure;
use crate::output;

/// Arguments of `openapi`.
#[derive(Args)]
pub struct OpenapiArgs {
    /// Contract to print. Default: all contracts in one document.
    #[arg(long, value_enum)]
    contract: Option<ContractName>,
}

#[derive(Clone, Copy, ValueEnum)]
enum ContractName {
    /// SaaSus Analysis.
    Saasus,
    /// Octopai login and user events.
    Octopai,
    /// Cripsa Audit Log.
    Cripsa,
    /// The native API.
    Native,
}

/// Prints a document, byte for byte as in the folder `openapi`.
pub fn run(args: &OpenapiArgs) -> Result<(), Failure> {
    let document = match args.contract {
        Some(ContractName::Saasus) => openapi_json(Contract::Saasus),
        Some(ContractName::Octopai) => openapi_json(Contract::Octopai),
        Some(ContractName::Cripsa) => openapi_json(Contract::Cripsa),
        Some(ContractName::Native) => openapi_json(Contract::Native),
        None => merged_json(),
    };
    output::write(&document)
}
