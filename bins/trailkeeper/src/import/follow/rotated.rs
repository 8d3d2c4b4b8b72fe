//! Finds the content of a log that was rotated: by renaming its file, or by copying and truncating it; compressed or
//! not.

use std::fs::{self, File};
use std::io::{self, BufRead, Read};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::SystemTime;

use trailkeeper_domain::Result as DomainResult;

use super::tail::{FilePosition, Tail, UnfinishedLines};
use crate::import::source::{decompressed, too_long};

/// The rest of a log after rotation: the file that has the part that was read, and the whole files after it.
#[derive(Debug, Default)]
pub struct Rest {
    /// The renamed file, which may still grow.
    pub renamed: Option<Tail>,
    /// A copy of the file that was read up to a position.
    pub copy: Option<PathBuf>,
    /// Files that were rotated since, oldest first.
    pub newer: Vec<PathBuf>,
}

/// Files next to the log whose names begin with its name: `access.log.1`, `access.log-20261130.gz`. Oldest first.
fn siblings(path: &Path) -> io::Result<Vec<(SystemTime, PathBuf)>> {
    let (Some(folder), Some(name)) = (path.parent(), path.file_name()) else { return Ok(Vec::new()) };
    let folder = if folder.as_os_str().is_empty() { Path::new(".") } else { folder };
    let mut found = Vec::new();
    for entry in fs::read_dir(folder)? {
        let entry = entry?;
        let rest = entry.file_name().to_str().and_then(|other| other.strip_prefix(name.to_str()?)).map(str::to_owned);
        if rest.is_some_and(|rest| is_rotated(&rest)) {
            match entry.metadata() {
                Ok(about) if about.is_file() => found.push((about.modified()?, folder.join(entry.file_name()))),
                Ok(_) => {}
                // Rotation removes the oldest.
                Err(error) if error.kind() == io::ErrorKind::NotFound => {}
                Err(error) => return Err(error),
            }
        }
    }
    found.sort_unstable();
    Ok(found)
}

/// Whether names of rotated files go on like this after the name of the log: a number or a date, and the ending of a
/// compressed file.
fn is_rotated(rest: &str) -> bool {
    rest.strip_prefix(['.', '-']).is_some_and(|rest| rest.starts_with(|c: char| c.is_ascii_digit()))
}

/// Finds what was read up to `position` among the rotated files of the log.
pub fn find(path: &Path, position: &FilePosition) -> io::Result<Rest> {
    let mut rest = Rest::default();
    let mut since = None;
    let files = siblings(path)?;
    for (modified, file) in &files {
        let Ok(about) = fs::metadata(file) else { continue };
        if position.is_of(&about)
            && let Some(tail) = Tail::open_at(file, position)?
        {
            (rest.renamed, rest.copy, since) = (Some(tail), None, Some(*modified));
            break;
        }
        if position.position > 0 && has_content(file, position)? {
            (rest.copy, since) = (Some(file.clone()), Some(*modified));
        }
    }
    if let Some(since) = since {
        rest.newer = files.into_iter().filter(|(modified, _)| *modified > since).map(|(_, file)| file).collect();
    }
    Ok(rest)
}

/// Whether the file, compressed or not, begins with what was read.
fn has_content(file: &Path, position: &FilePosition) -> io::Result<bool> {
    let mut content = decompressed(File::open(file)?)?;
    // A file with another compression, or a damaged one, does not.
    Ok(position.is_head_of(&mut content).unwrap_or(false))
}

/// Calls `handle` with each line of a rotated file after a place, compressed or not. Such a file does not grow.
pub fn read_rest<E: From<io::Error>>(
    file: &Path,
    position: &FilePosition,
    mut handle: impl FnMut(Arc<str>, u64, DomainResult<&[u8]>) -> Result<(), E>,
) -> Result<u64, E> {
    let name: Arc<str> = file.display().to_string().into();
    let mut content = decompressed(File::open(file)?)?;
    skip(&mut content, position.position)?;
    let mut lines = UnfinishedLines::new(content);
    let mut number = position.lines;
    while lines.next(true)?.is_some() {
        number += 1;
        match lines.content() {
            Some(Ok(content)) => handle(Arc::clone(&name), number, Ok(content))?,
            Some(Err(())) => handle(Arc::clone(&name), number, Err(too_long("line")))?,
            None => {}
        }
    }
    Ok(number - position.lines)
}

fn skip(content: &mut impl BufRead, bytes: u64) -> io::Result<()> {
    io::copy(&mut content.by_ref().take(bytes), &mut io::sink()).map(drop)
}
