//! The key files: `master.key`, and `master.key.previous` after a rotation. Each is readable by its owner alone, and is
//! there whole or not at all. A rotation leaves them with the owner that the key had: root may run it beside a server that
//! runs as somebody else, which must be able to read them.

use std::fs::{File, Metadata, OpenOptions, TryLockError};
use std::io::{self, Read as _, Write as _};
use std::path::{Path, PathBuf};

use trailkeeper_auth::{MasterKey, MasterKeyPair, MasterKeySource, MasterKeys};
use trailkeeper_domain::{Error, Result as DomainResult};

use crate::config::detail;
use crate::failure::Failure;

/// Where the keys lie.
#[derive(Debug, Clone)]
pub struct KeyFiles {
    current: PathBuf,
    previous: PathBuf,
}

impl KeyFiles {
    /// `current` and, beside it, `current.previous`.
    pub fn at(current: PathBuf) -> Self {
        let previous = beside(&current, "previous");
        Self { current, previous }
    }

    /// The file of the current key.
    pub fn current(&self) -> &Path {
        &self.current
    }

    /// The file of the previous key.
    pub fn previous(&self) -> &Path {
        &self.previous
    }

    /// The keys; `None` when there is no current one.
    ///
    /// The current one is read first. A rotation writes them the other way round, so whoever finds the new key as the
    /// current one finds the old key as the previous one.
    pub fn read(&self) -> Result<Option<MasterKeyPair>, Failure> {
        let Some(current) = read(&self.current)? else { return Ok(None) };
        Ok(Some(MasterKeyPair { current, previous: read(&self.previous)? }))
    }

    /// The keys of the files, which are read again when they may have changed.
    pub fn watched(&self) -> Result<MasterKeys, Failure> {
        // For the text of the error, which would otherwise be one of a server that runs.
        self.read()?;
        Ok(MasterKeys::from_source(self.clone())?)
    }

    /// Makes the file of the current key where there is none. It is written under a name of its own and linked into
    /// place: of two processes that start at once exactly one wins. `false`: there is one.
    pub fn create(&self, key: &MasterKey, unique: &str) -> Result<bool, Failure> {
        let draft = beside(&self.current, unique);
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

    /// Puts a key into the place of the previous one, whatever that was.
    pub fn replace_previous(&self, key: &MasterKey) -> Result<(), Failure> {
        self.replace(&self.previous, key)
    }

    /// Puts a key into the place of the current one.
    pub fn replace_current(&self, key: &MasterKey) -> Result<(), Failure> {
        self.replace(&self.current, key)
    }

    /// Keeps other rotations away until the file is closed. The system gives the lock back when the process ends, however
    /// it ends.
    pub fn lock(&self) -> Result<File, Failure> {
        let path = beside(&self.current, "lock");
        let file = closed(OpenOptions::new().create(true).truncate(false).write(true))
            .open(&path)
            .and_then(|file| self.owned_as_the_key(file))
            .map_err(|error| Failure::of_file(&path, error))?;
        match file.try_lock() {
            Ok(()) => Ok(file),
            Err(TryLockError::WouldBlock) => Err(Failure::Refused(format!(
                "master-key: another rotation is running (it holds {}); wait until it is done",
                path.display()
            ))),
            Err(TryLockError::Error(error)) => Err(Failure::of_file(&path, error)),
        }
    }

    /// Only under the lock: the draft has one name, so that what a killed rotation leaves is overwritten by the next.
    ///
    /// Where the file is a link, that to which it leads is replaced. A file in the place of the link would last until
    /// whoever made the link makes it again, and the key in it would be lost.
    fn replace(&self, path: &Path, key: &MasterKey) -> Result<(), Failure> {
        let path = &std::fs::canonicalize(path).unwrap_or_else(|_| path.to_owned());
        let draft = beside(path, "draft");
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
            Ok(None) => Err(Error::internal(format!("{} was there and is gone", self.current.display()))),
            Err(failure) => Err(Error::internal(failure)),
        }
    }
}

/// The failure of a key, from the file or setting `name`, that is not 64 hexadecimal digits.
pub fn unreadable(name: &str, error: &Error) -> Failure {
    Failure::Refused(format!("{name}: {}", detail(error)))
}

fn beside(path: &Path, suffix: &str) -> PathBuf {
    let mut name = path.as_os_str().to_owned();
    name.push(".");
    name.push(suffix);
    PathBuf::from(name)
}

fn read(path: &Path) -> Result<Option<MasterKey>, Failure> {
    let failed = |error| Failure::of_file(path, error);
    let mut file = match File::open(path) {
        Ok(file) => file,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
        Err(error) => return Err(failed(error)),
    };
    // Of the open file, not of the path: it is this one that is read.
    refuse_when_open(path, &file.metadata().map_err(failed)?)?;
    let mut hex = zeroize::Zeroizing::new(String::with_capacity(128));
    file.read_to_string(&mut hex).map_err(failed)?;
    MasterKey::from_hex(hex.trim()).map(Some).map_err(|error| unreadable(&path.display().to_string(), &error))
}

/// A key that others can read is no secret. A warning would scroll by: it is refused, as ssh does with its keys.
#[cfg(unix)]
fn refuse_when_open(path: &Path, metadata: &Metadata) -> Result<(), Failure> {
    use std::os::unix::fs::PermissionsExt as _;

    let mode = metadata.permissions().mode() & 0o777;
    let others = mode & 0o077;
    if others == 0 {
        return Ok(());
    }
    Err(Failure::Refused(format!(
        "master-key: {} has mode {mode:04o}: other users of this machine may read or change it; run `chmod 600 {}`, and if one of them is not trusted, `trailkeeper master-key rotate`",
        path.display(),
        path.display()
    )))
}

#[cfg(not(unix))]
fn refuse_when_open(_: &Path, _: &Metadata) -> Result<(), Failure> {
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

/// For its owner alone, from the first moment.
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

/// A file is durable only when its folder is.
fn sync_folder(path: &Path) -> io::Result<()> {
    match path.parent() {
        Some(folder) if cfg!(unix) => File::open(folder)?.sync_all(),
        _ => Ok(()),
    }
}
