//! Who may read the files of a database: their owner only, or also their group.

use std::fs::{self, Permissions};
use std::io::ErrorKind;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;

use trailkeeper_domain::error::Context;
use trailkeeper_domain::{Error, Result};

/// The bits of a mode that grant access.
const ACCESS: u32 = 0o777;
/// Those of them for users other than the owner.
const OTHERS: u32 = 0o077;

/// The widest modes of the files of a database.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Modes {
    /// Of a file.
    pub file: u32,
    /// Of a new folder.
    pub folder: u32,
}

impl Modes {
    /// The owner has access, and also the group may read if `allow_group_read` is set.
    pub fn new(allow_group_read: bool) -> Self {
        if allow_group_read { Self { file: 0o640, folder: 0o750 } } else { Self { file: 0o600, folder: 0o700 } }
    }

    /// Takes from a file the access that is wider than these modes, with a warning. A missing file is no error.
    ///
    /// # Errors
    /// [`Error::Unavailable`] if its mode cannot be changed, for example because another user owns it.
    pub fn narrow(self, path: &Path) -> Result<()> {
        let Some(mode) = mode_of(path)? else { return Ok(()) };
        if mode & OTHERS & !self.file == 0 {
            return Ok(());
        }
        let narrow = mode & self.file;
        let changed = fs::set_permissions(path, Permissions::from_mode(narrow));
        // Some file systems ignore a change without an error.
        let now = mode_of(path)?;
        let shown = path.display();
        if let Err(error) = changed {
            return Err(Error::unavailable(Context::new(refusal(path, mode, narrow), error)));
        }
        if now.is_some_and(|now| now & OTHERS & !self.file != 0) {
            return Err(Error::unavailable(refusal(path, mode, narrow)));
        }
        tracing::warn!(
            "{shown} had mode {mode:04o}, so other users of this machine could read or change it; it has mode \
             {narrow:04o} now. If a group must read it, set --allow-group-read"
        );
        Ok(())
    }
}

fn refusal(path: &Path, mode: u32, narrow: u32) -> String {
    let shown = path.display();
    format!(
        "{shown} has mode {mode:04o}, so other users of this machine can read or change it, and the mode cannot be \
         changed; run `chmod {narrow:o} {shown}` as the owner of the file, and start as that user"
    )
}

fn mode_of(path: &Path) -> Result<Option<u32>> {
    match fs::metadata(path) {
        Ok(metadata) => Ok(Some(metadata.permissions().mode() & ACCESS)),
        Err(error) if error.kind() == ErrorKind::NotFound => Ok(None),
        Err(error) => Err(Error::unavailable(Context::new(path.display().to_string(), error))),
    }
}
