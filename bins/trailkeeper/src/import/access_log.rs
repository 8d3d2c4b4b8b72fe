//! Access logs of Apache and nginx, as events.

use std::io::{self, BufRead};

use ring::digest::{Context, SHA256};
use trailkeeper_domain::Error;
use trailkeeper_parsers::access_log::{LogLine, to_draft};
use uuid::Uuid;

use crate::failure::Failure;
use crate::import::batch::{Batch, Recording};
use crate::import::source::Source;
use crate::import::summary::Summary;
use crate::wiring::Ports;

/// Records every line that can be read.
///
/// The file is read twice: first to make its fingerprint, from which and from the line's number each
/// event gets its id. So the same content, packed or not, is stored once however often it is imported.
pub fn import_access_log(
    ports: &Ports,
    source: Source,
    recording: Recording,
    summary: &mut Summary,
) -> Result<(), Failure> {
    let mut source = source.repeatable()?;
    let (mut content, bar) = source.content()?;
    // A defect of the file (packed data that ends early) shows here, before anything is stored: events
    // of half a file would get other ids than those of the whole.
    let file = fingerprint(&mut content).map_err(|error| source.unreadable(error))?;
    bar.finish_and_clear();
    let mut batch = Batch::new(ports, recording, summary);
    let read = source.each_line(|number, content| {
        let bytes = content.as_ref().map_or(0, |content| content.len());
        let draft = content.and_then(|content| {
            let text = String::from_utf8_lossy(content);
            let line = LogLine::parse(&text).map_err(|reason| Error::malformed("not_a_log_line", reason))?;
            Ok(to_draft(line, event_id(&file, number)))
        });
        batch.add(number, bytes, draft)
    });
    batch.record()?;
    read
}

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

/// A UUID version 8 (of our own making, as RFC 9562 calls it) of the file's content and the line's number.
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
    fn ids_depend_on_content_and_line_alone() {
        let file = fingerprint(&mut &b"abc"[..]).unwrap();
        // SHA-256 of "abc", as FIPS 180-2 gives it.
        assert_eq!(file.first_chunk(), Some(&[0xba, 0x78, 0x16, 0xbf]));
        let first = event_id(&file, 1);
        assert_eq!(first.get_version_num(), 8);
        assert_eq!(event_id(&file, 1), first);
        assert_ne!(event_id(&file, 2), first);
        assert_ne!(event_id(&fingerprint(&mut &b"abd"[..]).unwrap(), 1), first);
    }
}
