//! Imports access logs of Apache and nginx as events.

use std::io::{self, BufRead};

use ring::digest::{Context, SHA256};
use trailkeeper_domain::Error;
use trailkeeper_parsers::access_log::{LogLine, text_of, to_draft};
use uuid::Uuid;

use crate::failure::Failure;
use crate::import::batch::{Batch, Recording};
use crate::import::source::Source;
use crate::import::summary::Summary;
use crate::wiring::Ports;

/// Records every valid line.
///
/// The file is read twice, first for its fingerprint: the id of each event is made from the fingerprint and the number of
/// the line. So the same content, compressed or not, is stored once however often it is imported.
pub fn import_access_log(
    ports: &Ports,
    source: Source,
    recording: Recording,
    summary: &mut Summary,
) -> Result<(), Failure> {
    let mut source = source.repeatable()?;
    let (mut content, bar) = source.content()?;
    // A defect of the file, such as truncated gzip data, shows here, before anything is stored: the events of half a file
    // would get other ids than those of the whole file.
    let file = fingerprint(&mut content).map_err(|error| source.unreadable(error))?;
    bar.finish_and_clear();
    let mut batch = Batch::new(ports, recording, summary)?;
    let read = source.each_line(|number, content| {
        let bytes = content.as_ref().map_or(0, |content| content.len());
        let draft = content.and_then(|content| {
            let text = text_of(content);
            let line = LogLine::parse(&text).map_err(|reason| Error::malformed("not_a_log_line", reason))?;
            Ok(to_draft(line, event_id(&file, number)))
        });
        batch.add(number, bytes, draft)
    });
    batch.record()?;
    read
}

/// SHA-256 of the content.
fn fingerprint(content: &mut dyn BufRead) -> io::Result<[u8; 32]> {
    let mut hash = Context::new(&SHA256);
    loop {
        let part = content.fill_buf()?;
        if part.is_empty() {
            break;
        }
        hash.update(part);
        let length = part.len();
        content.consume(length);
    }
    let mut out = [0; 32];
    out.iter_mut().zip(hash.finish().as_ref()).for_each(|(to, from)| *to = *from);
    Ok(out)
}

/// The id of the event of a line: a UUID version 8 (custom, in the words of RFC 9562) of the file's fingerprint and the
/// line's number.
fn event_id(file: &[u8; 32], line: u64) -> Uuid {
    let mut context = Context::new(&SHA256);
    context.update(b"trailkeeper access log line\0");
    context.update(file);
    context.update(&line.to_be_bytes());
    let mut bytes = [0; 16];
    bytes.iter_mut().zip(context.finish().as_ref()).for_each(|(to, from)| *to = *from);
    uuid::Builder::from_custom_bytes(bytes).into_uuid()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ids_depend_only_on_the_content_and_the_line() {
        let file = fingerprint(&mut &b"abc"[..]).unwrap();
        // SHA-256 of "abc", from FIPS 180-2.
        assert_eq!(file.first_chunk(), Some(&[0xba, 0x78, 0x16, 0xbf]));
        let first = event_id(&file, 1);
        assert_eq!(first.get_version_num(), 8);
        assert_eq!(event_id(&file, 1), first);
        assert_ne!(event_id(&file, 2), first);
        assert_ne!(event_id(&fingerprint(&mut &b"abd"[..]).unwrap(), 1), first);
    }
}
