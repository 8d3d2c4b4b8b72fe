//! The keys that seal secrets at rest: from the settings, else from files that are made at need.

mod files;
mod rotation;

use std::path::PathBuf;

use trailkeeper_auth::{MasterKey, MasterKeyPair, MasterKeys};
use trailkeeper_domain::Error;
use trailkeeper_domain::clock::{self, Clock, Entropy};
use trailkeeper_domain::ports::Store;

use crate::config::{AccessArgs, DatabaseArgs, detail};
use crate::failure::Failure;

pub use rotation::{Rotated, rotate};

use files::KeyFiles;

/// What the key is needed for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Need {
    /// Something will be sealed or opened: without a key one is made and kept.
    Sealing,
    /// Nothing will be: where there is no key, none is made. An administrator's machine must not
    /// collect keys because it listed some accounts.
    Nothing,
}

/// Where the key lies unless the settings name it.
pub fn path(database: &DatabaseArgs) -> PathBuf {
    database.data_dir.join("master.key")
}

/// The keys in effect. Those of files follow the files: a running server sees a rotation.
pub fn load(
    database: &DatabaseArgs,
    access: &AccessArgs,
    need: Need,
    store: &dyn Store,
    clock: &dyn Clock,
    entropy: &dyn Entropy,
) -> Result<MasterKeys, Failure> {
    if let Some(given) = given(access)? {
        return Ok(MasterKeys::fixed(given));
    }
    let files = KeyFiles::at(path(database));
    if files.read()?.is_some() {
        return files.watched();
    }
    if need == Need::Nothing {
        return Ok(MasterKey::generate(entropy).into());
    }
    refuse_when_sealed(store, &files)?;
    database.create_data_dir()?;
    let key = MasterKey::generate(entropy);
    if files.create(&key, &clock::new_uuid(clock, entropy).to_string())? {
        tracing::info!(path = %files.current().display(), "made a master key; keep a copy of it apart from the database");
    }
    // Where another process was faster, its key is the one on disk.
    files.watched()
}

/// The keys that the settings name.
fn given(access: &AccessArgs) -> Result<Option<MasterKeyPair>, Failure> {
    let parsed = |name: &str, hex: &str| MasterKey::from_hex(hex).map_err(|error| unreadable(name, &error));
    match (access.given_master_key(), access.given_previous_master_key()) {
        (None, None) => Ok(None),
        (None, Some(_)) => Err(Failure::Refused(
            "master-key-previous: is set, and master-key is not; set TRAILKEEPER_MASTER_KEY to the key that took its place, or leave both out to use the key files"
                .to_owned(),
        )),
        (Some(current), previous) => Ok(Some(MasterKeyPair {
            current: parsed("master-key", current)?,
            previous: previous.map(|hex| parsed("master-key-previous", hex)).transpose()?,
        })),
    }
}

/// A new key cannot open what another key sealed: logins and signatures would fail later, one by one.
fn refuse_when_sealed(store: &dyn Store, files: &KeyFiles) -> Result<(), Failure> {
    let sealed = store.reading(|tx| Ok(!tx.token_keys()?.is_empty() || !tx.signing_keys(None, 1)?.is_empty()))?;
    if !sealed {
        return Ok(());
    }
    Err(Failure::Refused(format!(
        "master-key: the database holds keys that another master key sealed, and {} does not exist; put the server's master.key there or set TRAILKEEPER_MASTER_KEY",
        files.current().display()
    )))
}

fn unreadable(whose: &str, error: &Error) -> Failure {
    Failure::Refused(format!("{whose}: {}", detail(error)))
}
