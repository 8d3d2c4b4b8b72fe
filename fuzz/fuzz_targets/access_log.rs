//! Access logs: they are split into lines, parsed, and converted to events.
#![no_main]

use std::io::BufReader;

use libfuzzer_sys::fuzz_target;
use trailkeeper_fuzz::{events, refused};
use trailkeeper_parsers::access_log::{LogLine, Request, to_draft};
use trailkeeper_parsers::lines::{Line, Lines, MAX_LINE};
use uuid::Uuid;

fuzz_target!(|file: &[u8]| {
    let mut expected = lines_of(file).into_iter();
    let mut lines = Lines::new(BufReader::with_capacity(7, file));
    while let Some((number, line)) = lines.next_line().expect("memory can be read") {
        let Line::Whole(content) = line else { panic!("no input has {MAX_LINE} bytes") };
        assert_eq!(Some((number, content)), expected.next());
        read(&String::from_utf8_lossy(content));
    }
    assert_eq!(expected.next(), None);
});

/// The expected lines with their numbers, split in the simplest way.
fn lines_of(file: &[u8]) -> Vec<(u64, &[u8])> {
    let mut lines: Vec<&[u8]> = file.split(|byte| *byte == b'\n').collect();
    if let Some(first) = lines.first_mut() {
        *first = first.strip_prefix("\u{feff}".as_bytes()).unwrap_or(first);
    }
    let numbered = (1..).zip(lines);
    let whole = numbered.filter(|(_, line)| !line.trim_ascii().is_empty());
    whole.map(|(number, line)| (number, line.strip_suffix(b"\r").unwrap_or(line))).collect()
}

fn read(text: &str) {
    let Ok(line) = LogLine::parse(text) else { return };
    assert!((100..=999).contains(&line.status), "{text:?}");
    let written = written(&line);
    assert_eq!(LogLine::parse(&written).as_ref(), Ok(&line), "{text:?} was written as {written:?}");
    match events::validate(to_draft(line, Uuid::from_u128(7))) {
        Ok(event) => assert!(event.user_id.is_some()),
        Err(error) => refused(&error),
    }
}

/// The line, written in the combined format.
fn written(line: &LogLine<'_>) -> String {
    let request = match &line.request {
        Request::Http { method, path } => format!("{method} {path} HTTP/1.1"),
        Request::Other(text) => text.clone().into_owned(),
        Request::Nothing => "-".to_owned(),
    };
    format!(
        "{} - {} [{}] {} {} - {} {}",
        line.host,
        line.user.unwrap_or("-"),
        line.at.format("%d/%b/%Y:%H:%M:%S +0000"),
        quoted(&request),
        line.status,
        quoted(line.referer.as_deref().unwrap_or("-")),
        quoted(line.user_agent.as_deref().unwrap_or("-")),
    )
}

fn quoted(text: &str) -> String {
    format!("\"{}\"", text.replace('\\', "\\\\").replace('"', "\\\""))
}
