//! Follows a log that grows, as `tail -F` does: over rotation by renaming and by copying and truncating.
//!
//! After each commit the checkpoint is replaced. A follower that was killed between both reads the last lines again,
//! with the counters of the checkpoint, so they get the same ids and are known.

mod checkpoint;
mod rotated;
mod tail;

use std::fs;
use std::io;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use signal_hook::consts::{SIGINT, SIGTERM};
use signal_hook::flag;
use trailkeeper_domain::Result as DomainResult;
use trailkeeper_domain::event::EventDraft;
use trailkeeper_parsers::access_log::LineReader;

use self::checkpoint::Checkpoint;
use self::rotated::{find, read_rest};
use self::tail::{FilePosition, Tail};
use crate::failure::Failure;
use crate::import::access_log::{draft_of, old_part};
use crate::import::batch::{Batch, Place, Recording};
use crate::import::line_ids::LineIds;
use crate::import::occurrences::Occurrences;
use crate::import::old_rule::OldFile;
use crate::import::source::Source;
use crate::import::summary::Summary;
use crate::progress;
use crate::wiring::{self, Ports};

/// The time between two looks at the file.
const POLL: Duration = Duration::from_millis(250);
/// Lines per commit and checkpoint.
const LINES: usize = 20_000;
/// How long a renamed file may still grow: servers go on writing into it until a signal makes them open a new one.
const GRACE: Duration = Duration::from_mins(1);
/// Files that are open at a time.
const MAX_FILES: usize = 8;
/// The time between two merges of what was recorded, if no server does it.
const MERGE: Duration = Duration::from_mins(1);

/// What to follow.
#[derive(Debug, Clone, Copy)]
pub struct Following<'a> {
    /// Path of the log.
    path: &'a Path,
    /// Path of the checkpoint.
    checkpoint: Option<&'a Path>,
}

impl<'a> Following<'a> {
    /// Begins to follow a log, or goes on at its checkpoint. Before anything else, the first checkpoint notes which
    /// file the log is: it may be rotated before its first line is committed.
    pub fn begin(path: &'a Path, checkpoint: Option<&'a Path>, log: &str) -> Result<Self, Failure> {
        let is_new = checkpoint.is_none_or(|checkpoint| !checkpoint.exists());
        if is_new {
            // Reports a wrong path or a folder.
            Source::open(path)?;
            let tail = Tail::open(path).map_err(|error| Failure::of_file(path, error))?;
            if let Some(checkpoint) = checkpoint {
                Checkpoint::new(log, vec![tail.position], &Occurrences::default()).save(checkpoint)?;
            }
        }
        Ok(Self { path, checkpoint })
    }
}

/// Records the lines of a log, from its start or from the checkpoint, and then each new one, until SIGINT or SIGTERM.
pub fn follow_access_log(
    ports: &Ports,
    following: Following<'_>,
    recording: &Recording,
    reader: LineReader,
    summary: &mut Summary,
) -> Result<(), Failure> {
    let stop = stop_flag()?;
    let saved = following.checkpoint.map(|path| Checkpoint::load(path, &recording.log)).transpose()?.flatten();
    let ids = match &saved {
        Some(saved) => LineIds::counted(&recording.log, saved.occurrences()),
        None => LineIds::new(&recording.log),
    };
    let batch = Batch::new(ports, recording, summary)?;
    let mut follower = Follower {
        ports,
        following,
        recording,
        lines: Recorder { ids, reader, batch },
        tails: Vec::new(),
        quiet_since: Instant::now(),
        is_saved: saved.as_ref().map(|saved| saved.files.clone()).unwrap_or_default(),
    };
    let bar = progress::following();
    follower.resume(&saved.map(|saved| saved.files).unwrap_or_default())?;
    let mut merged = Instant::now();
    let mut is_merged = true;
    loop {
        let read = follower.round()?;
        is_merged &= read == 0;
        follower.save()?;
        bar.set_message(follower.lines.batch.progress());
        bar.tick();
        if stop.load(Ordering::Relaxed) {
            bar.finish_and_clear();
            return Ok(());
        }
        if !is_merged && merged.elapsed() > MERGE {
            wiring::merge(ports);
            (merged, is_merged) = (Instant::now(), true);
        }
        if read == 0 {
            thread::sleep(POLL);
        }
    }
}

/// A flag that the first SIGINT or SIGTERM sets. The second one ends the program at once.
fn stop_flag() -> Result<Arc<AtomicBool>, Failure> {
    let stop = Arc::new(AtomicBool::new(false));
    for signal in [SIGINT, SIGTERM] {
        flag::register_conditional_shutdown(signal, 128 + signal, Arc::clone(&stop))
            .and_then(|_| flag::register(signal, Arc::clone(&stop)))
            .map_err(|source| Failure::Io { what: format!("signal {signal} cannot be handled"), source })?;
    }
    Ok(stop)
}

/// Why reading ended early.
enum Stopped {
    Io(io::Error),
    Failure(Failure),
}

impl From<io::Error> for Stopped {
    fn from(error: io::Error) -> Self {
        Self::Io(error)
    }
}

impl Stopped {
    fn of(self, path: &Path) -> Failure {
        match self {
            Self::Io(error) => Failure::of_file(path, error),
            Self::Failure(failure) => failure,
        }
    }
}

/// Gives lines their ids, and records them.
struct Recorder<'a> {
    ids: LineIds,
    reader: LineReader,
    batch: Batch<'a>,
}

impl Recorder<'_> {
    fn add(
        &mut self,
        (file, line): (&Arc<str>, u64),
        old: Option<OldFile>,
        content: DomainResult<&[u8]>,
    ) -> Result<(), Stopped> {
        let reader = &mut self.reader;
        let place = Place { file: Some(Arc::clone(file)), line };
        let draft =
            |content: &[u8]| Ok(EventDraft { id: old.and_then(|old| old.id(line)), ..draft_of(reader, content)? });
        self.batch.add_line(&mut self.ids, place, content, draft).map_err(Stopped::Failure)
    }
}

struct Follower<'a> {
    ports: &'a Ports,
    following: Following<'a>,
    recording: &'a Recording,
    lines: Recorder<'a>,
    /// The open files, oldest first. The last one has the name of the log, or had it.
    tails: Vec<Tail>,
    /// When a file that is not the last one grew for the last time.
    quiet_since: Instant,
    /// The positions of the last checkpoint.
    is_saved: Vec<FilePosition>,
}

impl Follower<'_> {
    fn failed(&self) -> impl Fn(io::Error) -> Failure + use<'_> {
        |error| Failure::of_file(self.following.path, error)
    }

    /// Goes on where a checkpoint ends.
    fn resume(&mut self, files: &[FilePosition]) -> Result<(), Failure> {
        let path = self.following.path;
        for (at, position) in files.iter().enumerate() {
            let about = fs::metadata(path).ok();
            let same = match about.filter(|about| position.is_of(about)) {
                Some(_) => Tail::open_at(path, position).map_err(self.failed())?,
                None => None,
            };
            match same {
                Some(tail) => self.tails.push(tail),
                None => self.read_rotated(position, at + 1 == files.len())?,
            }
        }
        self.open_renamed()?;
        if let (Some(tail), true) = (self.tails.last_mut(), path.exists()) {
            let mut source = Source::open(path)?;
            tail.old = old_part(self.ports, &mut source, self.recording, &mut self.lines.reader)?;
        }
        Ok(())
    }

    /// Reads what stands after a position in a file that is not there any more, and the files that were rotated after
    /// it.
    fn read_rotated(&mut self, position: &FilePosition, is_last: bool) -> Result<(), Failure> {
        let path = self.following.path;
        let rest = find(path, position).map_err(self.failed())?;
        if rest.renamed.is_none() && rest.copy.is_none() {
            tracing::warn!(
                log = %path.display(),
                "the log was rotated, and what was read up to byte {} is in no file next to it: later lines of it are missing; if there were any, import them with `import access-log FILE --log-name {}`",
                position.position,
                self.recording.log
            );
        }
        let copy = rest.copy.map(|copy| (copy, position.clone()));
        let newer = rest.newer.into_iter().filter(|_| is_last).map(|file| (file, FilePosition::default()));
        if let Some(tail) = rest.renamed {
            self.tails.push(tail);
        }
        for (file, from) in copy.into_iter().chain(newer) {
            let lines = &mut self.lines;
            let read = read_rest(&file, &from, |name, line, content| lines.add((&name, line), None, content));
            let read = read.map_err(|stopped| stopped.of(&file))?;
            tracing::info!(file = %file.display(), lines = read, "read the rest of a rotated file");
        }
        Ok(())
    }

    /// Reads new lines and records them. Returns their number.
    fn round(&mut self) -> Result<usize, Failure> {
        self.open_renamed()?;
        self.notice_truncation()?;
        let mut read = 0;
        let count = self.tails.len();
        for (at, tail) in self.tails.iter_mut().enumerate() {
            let lines = &mut self.lines;
            let add =
                |tail: &Tail, line, content: DomainResult<&[u8]>| lines.add((&tail.name, line), tail.old, content);
            let new = tail.read(LINES - read, false, add).map_err(|stopped| stopped.of(self.following.path))?;
            if new > 0 && at + 1 < count {
                self.quiet_since = Instant::now();
            }
            read += new;
        }
        if count > MAX_FILES || count > 1 && self.quiet_since.elapsed() > GRACE {
            read += self.close_oldest()?;
        }
        self.lines.batch.record()?;
        Ok(read)
    }

    /// Opens the file that has the name of the log now.
    fn open_renamed(&mut self) -> Result<(), Failure> {
        let path = self.following.path;
        let about = match fs::metadata(path) {
            Ok(about) => about,
            // Between the renaming of the old file and the first line of the new one.
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(()),
            Err(error) => return Err(Failure::of_file(path, error)),
        };
        if self.tails.last().is_some_and(|tail| tail.position.is_of(&about)) {
            return Ok(());
        }
        match Tail::open(path) {
            Ok(tail) => self.tails.push(tail),
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(()),
            Err(error) => return Err(Failure::of_file(path, error)),
        }
        self.quiet_since = Instant::now();
        if self.tails.len() > 1 {
            tracing::info!(log = %path.display(), "the log was rotated: another file has its name");
        }
        Ok(())
    }

    /// Reads the copy of a file that was truncated, as far as it was not read before, and begins with the file again.
    fn notice_truncation(&mut self) -> Result<(), Failure> {
        let path = self.following.path;
        let Some(tail) = self.tails.last_mut() else { return Ok(()) };
        if tail.is_continued().map_err(|error| Failure::of_file(path, error))? {
            return Ok(());
        }
        tracing::info!(log = %path.display(), "the log was truncated");
        let position = tail.position.clone();
        tail.restart();
        self.read_rotated(&position, true)
    }

    /// Reads the last line of the oldest file, which may lack its line end, and closes the file.
    fn close_oldest(&mut self) -> Result<usize, Failure> {
        let mut tail = self.tails.remove(0);
        let lines = &mut self.lines;
        let add = |tail: &Tail, line, content: DomainResult<&[u8]>| lines.add((&tail.name, line), tail.old, content);
        tail.read(usize::MAX, true, add).map_err(|stopped| stopped.of(self.following.path))
    }

    /// Replaces the checkpoint, if something was read since.
    fn save(&mut self) -> Result<(), Failure> {
        let Some(path) = self.following.checkpoint else { return Ok(()) };
        let files: Vec<FilePosition> = self.tails.iter().map(|tail| tail.position.clone()).collect();
        if files != self.is_saved {
            Checkpoint::new(&self.recording.log, files.clone(), self.lines.ids.occurrences()).save(path)?;
            self.is_saved = files;
        }
        Ok(())
    }
}
