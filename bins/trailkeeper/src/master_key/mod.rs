//! The keys that seal secrets at rest: from the settings, otherwise from key files, which are created on first use.

pub mod files;

use trailkeeper_auth::{MasterKey, MasterKeyPair, MasterKeys};
use trailkeeper_domain::clock::{self, Clock, Entropy};
use trailkeeper_domain::ports::Store;

use crate::config::{AccessArgs, DatabaseArgs};
use crate::failure::Failure;

use files::{KeyFiles, unreadable};

/// How a command uses the master key.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum KeyUse {
    /// It seals or opens secrets. Without a key, one is generated and stored.
    Secrets,
    /// It does neither. Without a key, none is stored: a command that only lists accounts must not leave a key on an
    /// administrator's machine.
    Nothing,
}

/// The keys in effect. Keys from files follow the files, so that a running server sees a rotation.
pub fn load(
    database: &DatabaseArgs,
    access: &AccessArgs,
    key_use: KeyUse,
    store: &dyn Store,
    clock: &dyn Clock,
    entropy: &dyn Entropy,
) -> Result<MasterKeys, Failure> {
    if let Some(given) = given(access)? {
        return Ok(MasterKeys::fixed(given));
    }
    let files = KeyFiles::at(database.master_key(), database.allow_group_read);
    if files.read()?.is_some() {
        return files.watched();
    }
    if key_use == KeyUse::Nothing {
        return Ok(MasterKey::generate(entropy).into());
    }
    refuse_when_sealed(store, &files)?;
    database.create_data_dir()?;
    let key = MasterKey::generate(entropy);
    if files.create(&key, &clock::new_uuid(clock, entropy).to_string())? {
        tracing::info!(path = %files.current().display(), "generated a master key; keep a copy of it, apart from the database");
    }
    // If another process was faster, its key is the one on disk.
    files.watched()
}

/// The keys that the settings name.
pub fn given(access: &AccessArgs) -> Result<Option<MasterKeyPair>, Failure> {
    let parsed = |name: &str, hex: &str| MasterKey::from_hex(hex).map_err(|error| unreadable(name, &error));
    match (access.master_key.as_deref(), access.master_key_previous.as_deref()) {
        (None, None) => Ok(None),
        (None, Some(_)) => Err(Failure::Refused(
            "master-key-previous: is set, and master-key is not; set TRAILKEEPER_MASTER_KEY to the key that replaced it, or unset both to use the key files"
                .to_owned(),
        )),
        (Some(current), previous) => Ok(Some(MasterKeyPair {
            current: parsed("master-key", current)?,
            previous: previous.map(|hex| parsed("master-key-previous", hex)).transpose()?,
        })),
    }
}

/// Refuses to generate a key for a database with sealed secrets. A new key cannot open them, so logins and signatures
/// would fail later, one by one.
fn refuse_when_sealed(store: &dyn Store, files: &KeyFiles) -> Result<(), Failure> {
    let sealed = store.reading(|tx| {
        Ok(!tx.token_keys()?.is_empty() || !tx.signing_keys(None, 1)?.is_empty() || tx.cursor_key()?.is_some())
    })?;
    if !sealed {
        return Ok(());
    }
    Err(Failure::Refused(format!(
        "master-key: the database holds keys that another master key sealed, and {} does not exist; put the server's master.key there or set TRAILKEEPER_MASTER_KEY",
        files.current().display()
    )))
}
