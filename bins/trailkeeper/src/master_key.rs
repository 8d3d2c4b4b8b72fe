//! The key that seals secrets at rest: from the settings, else from a file that is made at need.

use std::fs::{File, OpenOptions};
use std::io::{self, Write as _};
use std::path::{Path, PathBuf};

use trailkeeper_auth::MasterKey;
use trailkeeper_domain::Error;
use trailkeeper_domain::clock::{self, Clock, Entropy};
use trailkeeper_domain::ports::Store;

use crate::config::{AccessArgs, DatabaseArgs, detail};
use crate::failure::Failure;

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

/// The key in effect.
pub fn load(
    database: &DatabaseArgs,
    access: &AccessArgs,
    need: Need,
    store: &dyn Store,
    clock: &dyn Clock,
    entropy: &dyn Entropy,
) -> Result<MasterKey, Failure> {
    if let Some(hex) = access.given_master_key() {
        return MasterKey::from_hex(hex).map_err(|error| unreadable("master-key", &error));
    }
    let path = path(database);
    if let Some(key) = read(&path)? {
        return Ok(key);
    }
    if need == Need::Nothing {
        return Ok(MasterKey::generate(entropy));
    }
    refuse_when_sealed(store, &path)?;
    database.create_data_dir()?;
    let key = MasterKey::generate(entropy);
    if create(&path, &key, &clock::new_uuid(clock, entropy).to_string()).map_err(|e| Failure::of_file(&path, e))? {
        tracing::info!(path = %path.display(), "made a master key; keep a copy of it apart from the database");
        return Ok(key);
    }
    // Another process was faster: its key is the one on disk.
    read(&path)?.ok_or_else(|| Failure::Refused(format!("{}: was there and is gone", path.display())))
}

/// A new key cannot open what another key sealed: logins and signatures would fail later, one by one.
fn refuse_when_sealed(store: &dyn Store, path: &Path) -> Result<(), Failure> {
    let sealed = store.reading(|tx| Ok(!tx.token_keys()?.is_empty() || !tx.signing_keys(None, 1)?.is_empty()))?;
    if !sealed {
        return Ok(());
    }
    Err(Failure::Refused(format!(
        "master-key: the database holds keys that another master key sealed, and {} does not exist; put the server's master.key there or set TRAILKEEPER_MASTER_KEY",
        path.display()
    )))
}

fn read(path: &Path) -> Result<Option<MasterKey>, Failure> {
    let hex = match std::fs::read_to_string(path) {
        Ok(hex) => hex,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
        Err(error) => return Err(Failure::of_file(path, error)),
    };
    warn_when_open(path)?;
    MasterKey::from_hex(hex.trim()).map(Some).map_err(|error| unreadable(&path.display().to_string(), &error))
}

#[cfg(unix)]
fn warn_when_open(path: &Path) -> Result<(), Failure> {
    use std::os::unix::fs::PermissionsExt as _;

    let mode = std::fs::metadata(path).map_err(|error| Failure::of_file(path, error))?.permissions().mode() & 0o777;
    if mode & 0o077 != 0 {
        tracing::warn!(
            path = %path.display(), mode = format!("{mode:o}"),
            "the master key is open to other users of this machine; run chmod 600 on it"
        );
    }
    Ok(())
}

#[cfg(not(unix))]
fn warn_when_open(_: &Path) -> Result<(), Failure> {
    Ok(())
}

/// Writes the key under a name of its own and links it into place: whoever looks finds no key or
/// the whole key, and of two processes that start at once exactly one wins. `false`: there is one.
fn create(path: &Path, key: &MasterKey, unique: &str) -> io::Result<bool> {
    let draft = path.with_extension(unique);
    let written = write_closed(&draft, key).and_then(|()| std::fs::hard_link(&draft, path));
    let removed = std::fs::remove_file(&draft);
    match written {
        Ok(()) => {}
        Err(error) if error.kind() == io::ErrorKind::AlreadyExists => return Ok(false),
        Err(error) => return Err(error),
    }
    removed?;
    sync_folder(path)?;
    Ok(true)
}

fn write_closed(path: &Path, key: &MasterKey) -> io::Result<()> {
    let mut options = OpenOptions::new();
    options.write(true).create_new(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    let mut file = options.open(path)?;
    file.write_all(key.to_hex().as_bytes())?;
    file.write_all(b"\n")?;
    file.sync_all()
}

/// A file is durable only when its folder is.
fn sync_folder(path: &Path) -> io::Result<()> {
    match path.parent() {
        Some(folder) if cfg!(unix) => File::open(folder)?.sync_all(),
        _ => Ok(()),
    }
}

fn unreadable(whose: &str, error: &Error) -> Failure {
    Failure::Refused(format!("{whose}: {}", detail(error)))
}
