//! The key files: `master.key`, and `master.key.previous` after a rotation. Only the owner can read them, or also their
//! group if a setting allows it, and they appear whole or not at all. A rotation keeps their owner: root can rotate the key of a server that runs as another user and
//! must still read it.

use std::fs::{File, OpenOptions, TryLockError};
use std::io::{self, Read as _, Write as _};
use std::path::{Path, PathBuf};

use trailkeeper_auth::{MasterKey, MasterKeyPair, MasterKeySource, MasterKeys};
use trailkeeper_domain::{Error, Result as DomainResult};

use crate::config::detail;
use crate::failure::Failure;

/// The paths of the key files.
#[derive(Debug, Clone)]
pub struct KeyFiles {
    current: PathBuf,
    previous: PathBuf,
    allow_group_read: bool,
}

impl KeyFiles {
    /// The files `current` and, in the same folder, `current.previous`. With `allow_group_read` their group may read
    /// them.
    pub fn at(current: PathBuf, allow_group_read: bool) -> Self {
        let previous = with_suffix(&current, "previous");
        Self { current, previous, allow_group_read }
    }

    /// Path of the current key.
    pub fn current(&self) -> &Path {
        &self.current
    }

    /// Path of the previous key.
    pub fn previous(&self) -> &Path {
        &self.previous
    }

    /// Reads the keys. `None` if there is no current one.
    ///
    /// The current one is read first. A rotation writes them in the opposite order, so a reader that finds the new key as
    /// the current one finds the old key as the previous one.
    pub fn read(&self) -> Result<Option<MasterKeyPair>, Failure> {
        let Some(current) = self.read_one(&self.current)? else { return Ok(None) };
        Ok(Some(MasterKeyPair { current, previous: self.read_one(&self.previous)? }))
    }

    /// The keys of the files. They are read again when they may have changed.
    pub fn watched(&self) -> Result<MasterKeys, Failure> {
        // First, for its error text: `MasterKeySource::read` words its errors for a running server.
        self.read()?;
        Ok(MasterKeys::from_source(self.clone())?)
    }

    fn read_one(&self, path: &Path) -> Result<Option<MasterKey>, Failure> {
        let failed = |error| Failure::of_file(path, error);
        let mut file = match File::open(path) {
            Ok(file) => file,
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
            Err(error) => return Err(failed(error)),
        };
        // The mode of the open file, not of the path: this file is read.
        narrow(path, &file, self.allow_group_read)?;
        let mut hex = zeroize::Zeroizing::new(String::with_capacity(128));
        file.read_to_string(&mut hex).map_err(failed)?;
        MasterKey::from_hex(hex.trim()).map(Some).map_err(|error| unreadable(&path.display().to_string(), &error))
    }

    /// Creates the file of the current key if there is none. It is written under a unique name and linked into place, so
    /// that of two processes at the same time exactly one wins. `false`: the file exists already.
    pub fn create(&self, key: &MasterKey, unique: &str) -> Result<bool, Failure> {
        let draft = with_suffix(&self.current, unique);
        let written = create_closed(&draft)
            .and_then(|file| write(file, key))
            .and_then(|()| std::fs::hard_link(&draft, &self.current));
        let removed = std::fs::remove_file(&draft);
        let outcome = match written {
            Ok(()) => removed.and_then(|()| sync_folder(&self.current)).map(|()| true),
            Err(error) if error.kind() == io::ErrorKind::AlreadyExists => Ok(false),
            Err(error) => Err(error),
        };
        outcome.map_err(|error| Failure::of_file(&self.current, error))
    }

    /// Replaces the previous key.
    pub fn replace_previous(&self, key: &MasterKey) -> Result<(), Failure> {
        self.replace(&self.previous, key)
    }

    /// Replaces the current key.
    pub fn replace_current(&self, key: &MasterKey) -> Result<(), Failure> {
        self.replace(&self.current, key)
    }

    /// Locks out other rotations until the returned file is closed. The system releases the lock whenever the process
    /// ends.
    pub fn lock(&self) -> Result<File, Failure> {
        let path = with_suffix(&self.current, "lock");
        let file = closed(OpenOptions::new().create(true).truncate(false).write(true))
            .open(&path)
            .and_then(|file| self.owned_as_the_key(file))
            .map_err(|error| Failure::of_file(&path, error))?;
        match file.try_lock() {
            Ok(()) => Ok(file),
            Err(TryLockError::WouldBlock) => Err(Failure::Refused(format!(
                "master-key: another rotation is running (it holds {}); wait until it ends",
                path.display()
            ))),
            Err(TryLockError::Error(error)) => Err(Failure::of_file(&path, error)),
        }
    }

    /// Replaces a key file. Call it only under the lock: the draft has a fixed name, so that the next rotation overwrites
    /// what a killed one leaves.
    ///
    /// If the path is a link, its target is replaced. A file in place of the link would be lost, with the key in it, as
    /// soon as the tool that created the link creates it again.
    fn replace(&self, path: &Path, key: &MasterKey) -> Result<(), Failure> {
        let path = &std::fs::canonicalize(path).unwrap_or_else(|_| path.to_owned());
        let draft = with_suffix(path, "draft");
        let replaced = remove(&draft)
            .and_then(|()| create_closed(&draft))
            .and_then(|file| self.owned_as_the_key(file))
            .and_then(|file| write(file, key))
            .and_then(|()| std::fs::rename(&draft, path))
            .and_then(|()| sync_folder(path));
        replaced.map_err(|error| Failure::of_file(path, error))
    }

    #[cfg(unix)]
    fn owned_as_the_key(&self, file: File) -> io::Result<File> {
        use std::os::unix::fs::{MetadataExt as _, fchown};

        let (ours, key) = (file.metadata()?, std::fs::metadata(&self.current)?);
        if ours.uid() != key.uid() {
            fchown(&file, Some(key.uid()), Some(key.gid()))?;
        }
        Ok(file)
    }

    #[cfg(not(unix))]
    fn owned_as_the_key(&self, file: File) -> io::Result<File> {
        Ok(file)
    }
}

impl MasterKeySource for KeyFiles {
    fn read(&self) -> DomainResult<MasterKeyPair> {
        match Self::read(self) {
            Ok(Some(keys)) => Ok(keys),
            Ok(None) => Err(Error::internal(format!("{} has disappeared", self.current.display()))),
            Err(failure) => Err(Error::internal(failure)),
        }
    }
}

/// The failure of a key, from the file or setting `name`, that is not 64 hexadecimal digits.
pub fn unreadable(name: &str, error: &Error) -> Failure {
    Failure::Refused(format!("{name}: {}", detail(error)))
}

/// The path with `.` and a suffix appended.
fn with_suffix(path: &Path, suffix: &str) -> PathBuf {
    let mut name = path.as_os_str().to_owned();
    name.push(".");
    name.push(suffix);
    PathBuf::from(name)
}

/// Takes from an open key file the access of users other than its owner, with a warning. The access of the group to read
/// stays with `allow_group_read`.
#[cfg(unix)]
fn narrow(path: &Path, file: &File, allow_group_read: bool) -> Result<(), Failure> {
    use std::os::unix::fs::PermissionsExt as _;

    let failed = |error| Failure::of_file(path, error);
    let mode_of = || file.metadata().map(|metadata| metadata.permissions().mode() & 0o777).map_err(failed);
    let allowed = if allow_group_read { 0o640 } else { 0o600 };
    let is_open = |mode: u32| mode & 0o077 & !allowed != 0;
    let mode = mode_of()?;
    if !is_open(mode) {
        return Ok(());
    }
    let (narrow, shown) = (mode & allowed, path.display());
    let changed = file.set_permissions(std::fs::Permissions::from_mode(narrow));
    let reason = match changed {
        Err(error) => format!(" ({error})"),
        // Some file systems ignore a change without an error.
        Ok(()) if is_open(mode_of()?) => String::new(),
        Ok(()) => {
            tracing::warn!(
                "{shown} had mode {mode:04o}, so other users of this machine could read or change it; it has mode {narrow:04o} now. If you do not trust one of them, run `trailkeeper master-key rotate`"
            );
            return Ok(());
        }
    };
    Err(Failure::Refused(format!(
        "master-key: {shown} has mode {mode:04o}, so other users of this machine can read or change it, and the mode cannot be changed{reason}; run `chmod {narrow:o} {shown}` as the owner of the file, and if you do not trust one of them, `trailkeeper master-key rotate`"
    )))
}

#[cfg(not(unix))]
fn narrow(_: &Path, _: &File, _: bool) -> Result<(), Failure> {
    Ok(())
}

fn create_closed(path: &Path) -> io::Result<File> {
    closed(OpenOptions::new().write(true).create_new(true)).open(path)
}

fn write(mut file: File, key: &MasterKey) -> io::Result<()> {
    let hex = zeroize::Zeroizing::new(key.to_hex());
    file.write_all(hex.as_bytes())?;
    file.write_all(b"\n")?;
    file.sync_all()
}

/// Gives only the owner access, from the moment the file is created.
fn closed(options: &mut OpenOptions) -> &mut OpenOptions {
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(options, 0o600);
    options
}

fn remove(path: &Path) -> io::Result<()> {
    match std::fs::remove_file(path) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => Err(error),
        _ => Ok(()),
    }
}

/// Syncs the folder of a file: the name of the file is durable only after that.
fn sync_folder(path: &Path) -> io::Result<()> {
    match path.parent() {
        Some(folder) if cfg!(unix) => File::open(folder)?.sync_all(),
        _ => Ok(()),
    }
}
