//! Recognises logs that an older version imported. It made ids of the digest of the whole file and the number of the
//! line.

use std::collections::HashSet;
use std::io::{self, BufRead, Read};

use chrono::TimeDelta;
use ring::digest::{Context, SHA256};
use trailkeeper_domain::event::{Event, EventFilter, EventPosition};
use trailkeeper_domain::id::EventId;
use trailkeeper_domain::visibility::Visibility;
use trailkeeper_parsers::lines::{Line, Lines};
use uuid::Uuid;

use crate::failure::Failure;
use crate::import::line_ids::{custom_uuid, finish};
use crate::import::source::Source;
use crate::wiring::Ports;

/// Events that one transaction reads.
const PAGE: usize = 1_000;
/// The most events of one time that are compared with the ids of the old rule.
const MOST: usize = 200_000;

/// The part of a file that an older version imported.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct OldFile {
    digest: [u8; 32],
    last_line: u64,
}

impl OldFile {
    /// The id that the older version gave this line; `None` for lines that it did not see.
    pub fn id(&self, line: u64) -> Option<Uuid> {
        (line <= self.last_line).then(|| id_of(&self.digest, line))
    }
}

/// The id of a line, as older versions made it.
fn id_of(file: &[u8; 32], line: u64) -> Uuid {
    let mut context = Context::new(&SHA256);
    context.update(b"trailkeeper access log line\0");
    context.update(file);
    context.update(&line.to_be_bytes());
    custom_uuid(context)
}

/// Finds the part of a file that an older version imported: all of it, or its beginning up to the end of a line. Of
/// several, the longest.
///
/// `event_of` makes the event of a line that can be stored. The ids of the stored events that have the time of the
/// first one are compared with the ids that it would have had, if the file had ended at one of its lines. Without such
/// events, only the first lines of the file are read, else the file is read once.
pub fn recognise(
    ports: &Ports,
    source: &mut Source,
    event_of: impl FnMut(&[u8]) -> Option<Event>,
) -> Result<Option<OldFile>, Failure> {
    let Some((first, event)) = first_event(source, event_of)? else { return Ok(None) };
    let ids = ids_at(ports, &event)?;
    if ids.is_empty() { Ok(None) } else { longest_part(source, first, &ids) }
}

/// The first line that has an event: its number, and the event.
fn first_event(
    source: &mut Source,
    mut event_of: impl FnMut(&[u8]) -> Option<Event>,
) -> Result<Option<(u64, Event)>, Failure> {
    let (content, bar) = source.content()?;
    let mut lines = Lines::new(content);
    let mut first = None;
    // A defect of the file is reported when its lines are recorded.
    while let Ok(Some((number, line))) = lines.next_line()
        && first.is_none()
    {
        if let Line::Whole(content) = line {
            first = event_of(content).map(|event| (number, event));
        }
    }
    bar.finish_and_clear();
    Ok(first)
}

/// The ids of lines that are stored with the tenant and the time of this event.
#[expect(clippy::disallowed_methods, reason = "the command line has no caller, and compares the tenant's own events")]
fn ids_at(ports: &Ports, event: &Event) -> Result<HashSet<Uuid>, Failure> {
    let mut filter = EventFilter::within(Visibility::of_tenant(event.tenant_id));
    filter.from = Some(event.occurred_at);
    filter.until = Some(event.occurred_at + TimeDelta::microseconds(1));
    let (mut ids, mut read) = (HashSet::new(), 0);
    let mut after: Option<EventPosition> = None;
    loop {
        let page = ports.store.reading(|tx| tx.events(&filter, after, PAGE)).map_err(|error| ports.failed(error))?;
        let of_lines = page.iter().map(|stored| stored.event.id).filter(|EventId(id)| id.get_version_num() == 8);
        ids.extend(of_lines.map(|EventId(id)| id));
        read += page.len();
        match page.last() {
            Some(last) if page.len() == PAGE && read < MOST => after = Some(last.position()),
            Some(_) if page.len() == PAGE => {
                tracing::warn!(
                    "more than {MOST} events have the time of the first line: it may stay unnoticed that an older version imported the file"
                );
                return Ok(ids);
            }
            _ => return Ok(ids),
        }
    }
}

/// The longest part of the file with which the line `first` has one of these ids.
fn longest_part(source: &mut Source, first: u64, ids: &HashSet<Uuid>) -> Result<Option<OldFile>, Failure> {
    let (content, bar) = source.content()?;
    let mut lines = Lines::new(Hashed { content, hash: Context::new(&SHA256) });
    let mut longest = None;
    loop {
        let read = lines.next_line().map(|line| line.map(|(number, _)| number));
        let part = OldFile { digest: lines.reader().digest(), last_line: lines.number() };
        if lines.number() >= first && ids.contains(&id_of(&part.digest, first)) {
            longest = Some(part);
        }
        if !matches!(read, Ok(Some(_))) {
            bar.finish_and_clear();
            return Ok(longest);
        }
    }
}

/// A reader that hashes what was consumed: a reader of lines consumes no byte after the line end.
struct Hashed<R> {
    content: R,
    hash: Context,
}

impl<R> Hashed<R> {
    /// SHA-256 of what was consumed so far.
    fn digest(&self) -> [u8; 32] {
        finish(self.hash.clone())
    }
}

impl<R: BufRead> Read for Hashed<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let length = self.content.fill_buf()?.read(buffer)?;
        self.consume(length);
        Ok(length)
    }
}

impl<R: BufRead> BufRead for Hashed<R> {
    fn fill_buf(&mut self) -> io::Result<&[u8]> {
        self.content.fill_buf()
    }

    fn consume(&mut self, length: usize) {
        // What is consumed was filled before, so nothing is read here and nothing can fail.
        if let Ok(part) = self.content.fill_buf() {
            self.hash.update(part.get(..length).unwrap_or(part));
        }
        self.content.consume(length);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_consumed_is_hashed() {
        let mut lines = Lines::new(Hashed { content: &b"abc"[..], hash: Context::new(&SHA256) });
        lines.next_line().unwrap();
        // SHA-256 of "abc", from FIPS 180-2.
        let file = lines.reader().digest();
        assert_eq!(file.first_chunk(), Some(&[0xba, 0x78, 0x16, 0xbf]));
        let old = OldFile { digest: file, last_line: 2 };
        assert_eq!(old.id(1).unwrap().get_version_num(), 8);
        assert!(old.id(1) != old.id(2) && old.id(3).is_none());
    }
}
