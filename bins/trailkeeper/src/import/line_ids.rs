//! The ids of lines: of events that a file brings without an id of their own.
//!
//! A line is known by the name of its log, its content and its occurrence among equal lines. So it is stored once, in
//! whatever file it comes: a log that has grown, was rotated, or was joined with others.

use ring::digest::{Context, SHA256};
use trailkeeper_domain::time::Timestamp;
use uuid::Uuid;

use crate::import::occurrences::{Counted, LineKey, Occurrences};

/// What the digest of a line begins with, so that no other id of ours can be equal to it.
const LINE: &[u8] = b"trailkeeper log line\0";
const OCCURRENCE: &[u8] = b"trailkeeper log line occurrence\0";

/// Gives the lines of one log their ids.
pub struct LineIds {
    log: String,
    occurrences: Occurrences,
}

impl LineIds {
    /// Lines of a log with this name. None was seen yet.
    pub fn new(log: &str) -> Self {
        Self { log: log.to_owned(), occurrences: Occurrences::default() }
    }

    /// Lines of a log of which some were counted already.
    pub fn counted(log: &str, occurrences: Occurrences) -> Self {
        Self { log: log.to_owned(), occurrences }
    }

    /// The id of the next line: its content without the line end, and the time of its event. Lines that give no event
    /// are not counted.
    pub fn next(&mut self, content: &[u8], at: Timestamp) -> LineId {
        let line = self.digest(content);
        let Counted { occurrence, is_late } = self.occurrences.count(key_of(&line), at);
        LineId { id: id_of(&line, occurrence), is_late }
    }

    /// The counters of equal lines.
    pub fn occurrences(&self) -> &Occurrences {
        &self.occurrences
    }

    fn digest(&self, line: &[u8]) -> [u8; 32] {
        let mut context = Context::new(&SHA256);
        context.update(LINE);
        // The length keeps the name and the line apart.
        context.update(&(self.log.len() as u64).to_be_bytes());
        context.update(self.log.as_bytes());
        context.update(without_zeros(line));
        finish(context)
    }
}

/// The id of a line.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct LineId {
    /// A UUID version 8 (custom, in the words of RFC 9562).
    pub id: Uuid,
    /// The counters of lines as old as this one were dropped before: it may have the id of an equal line.
    pub is_late: bool,
}

/// A file has zero bytes in front of a line if it was truncated while a server wrote to it.
fn without_zeros(line: &[u8]) -> &[u8] {
    let zeros = line.iter().take_while(|byte| **byte == 0).count();
    line.get(zeros..).unwrap_or_default()
}

fn key_of(line: &[u8; 32]) -> LineKey {
    let mut key = [0; 16];
    key.iter_mut().zip(line).for_each(|(to, from)| *to = *from);
    key
}

fn id_of(line: &[u8; 32], occurrence: u32) -> Uuid {
    let mut context = Context::new(&SHA256);
    context.update(OCCURRENCE);
    context.update(line);
    context.update(&occurrence.to_be_bytes());
    custom_uuid(context)
}

/// The digest as a UUID version 8.
pub fn custom_uuid(context: Context) -> Uuid {
    let mut bytes = [0; 16];
    bytes.iter_mut().zip(finish(context)).for_each(|(to, from)| *to = from);
    uuid::Builder::from_custom_bytes(bytes).into_uuid()
}

/// The digest as an array.
pub fn finish(context: Context) -> [u8; 32] {
    let mut out = [0; 32];
    out.iter_mut().zip(context.finish().as_ref()).for_each(|(to, from)| *to = *from);
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    const AT: Timestamp = Timestamp::UNIX_EPOCH;

    #[test]
    fn ids_depend_on_the_log_the_content_and_the_occurrence() {
        let mut ids = LineIds::new("web1");
        let [first, second, other] = [b"a", b"a", b"b"].map(|line| ids.next(line, AT).id);
        assert_eq!(first.get_version_num(), 8);
        assert!(first != second && first != other && second != other);
        let mut again = LineIds::new("web1");
        // The place of a line among others makes no difference.
        assert_eq!([b"b", b"a", b"a"].map(|line| again.next(line, AT).id), [other, first, second]);
        assert_ne!(LineIds::new("web2").next(b"a", AT).id, first);
        // The name and the line do not run into each other.
        assert_ne!(LineIds::new("web").next(b"1a", AT).id, first);
        assert_eq!(LineIds::new("web1").next(b"\0\0a", AT).id, first);
    }

    #[test]
    fn ids_never_change_from_version_to_version() {
        // By Python: hashlib.sha256(b"trailkeeper log line\0" + (4).to_bytes(8, "big") + b"web1" + b"a").digest() is
        // the line; its first 16 bytes after b"trailkeeper log line occurrence\0" + line + (1).to_bytes(4, "big"), with
        // version and variant set.
        let id = LineIds::new("web1").next(b"a", AT).id;
        assert_eq!(id.to_string(), "8db46df7-f85f-84b9-875d-dbc7832c3514");
    }
}
