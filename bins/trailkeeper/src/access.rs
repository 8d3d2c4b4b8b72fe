//! Opens the service of logins, accounts and credentials over the database and the master key.

use std::sync::Arc;

use trailkeeper_auth::Access;
use trailkeeper_domain::Error;

use crate::config::{AccessArgs, DatabaseArgs};
use crate::failure::Failure;
use crate::master_key::{self, KeyUse};
use crate::wiring::Ports;

/// Opens it. A command that seals or opens secrets also checks that the master key fits the database.
pub fn open(
    ports: &Ports,
    database: &DatabaseArgs,
    settings: &AccessArgs,
    key_use: KeyUse,
) -> Result<Arc<Access>, Failure> {
    let (store, clock, entropy) = (&ports.store, &ports.clock, &ports.entropy);
    let master = master_key::load(database, settings, key_use, store.as_ref(), clock.as_ref(), entropy.as_ref())?;
    let access =
        Access::new(Arc::clone(store), Arc::clone(clock), Arc::clone(entropy), master, settings.access_settings());
    if key_use == KeyUse::Secrets {
        access.check_master_key().map_err(|error| wrong_master_key(ports, error))?;
    }
    Ok(Arc::new(access))
}

fn wrong_master_key(ports: &Ports, error: Error) -> Failure {
    match error {
        Error::Internal { cause } => Failure::Refused(format!(
            "master-key: it is not the key that sealed the keys in {} ({cause}); set TRAILKEEPER_MASTER_KEY, or put the right master.key into the data folder",
            ports.url
        )),
        other => ports.failed(other),
    }
}
