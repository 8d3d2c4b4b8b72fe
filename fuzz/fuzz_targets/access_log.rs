//! Access logs: they are split into lines, parsed, and converted to events.
#![no_main]

use std::io::BufReader;

use libfuzzer_sys::fuzz_target;
use trailkeeper_domain::event::Outcome;
use trailkeeper_fuzz::{events, refused};
use trailkeeper_parsers::access_log::{LogLine, Request, text_of, to_draft};
use trailkeeper_parsers::lines::{Line, Lines, MAX_LINE};

fuzz_target!(|file: &[u8]| {
    let mut expected = lines_of(file).into_iter();
    let mut lines = Lines::new(BufReader::with_capacity(7, file));
    while let Some((number, line)) = lines.next_line().expect("memory can be read") {
        let Line::Whole(content) = line else { panic!("no input has {MAX_LINE} bytes") };
        assert_eq!(Some((number, content)), expected.next());
        read(&text_of(content));
    }
    assert_eq!(expected.next(), None);
});

/// The expected lines with their numbers, split in the simplest way.
fn lines_of(file: &[u8]) -> Vec<(u64, &[u8])> {
    let lines = file.split(|byte| *byte == b'\n');
    // Files that were joined have a byte order mark where the second begins.
    let unmarked = lines.map(|line| line.strip_prefix("\u{feff}".as_bytes()).unwrap_or(line));
    let numbered = (1..).zip(unmarked);
    let whole = numbered.filter(|(_, line)| !line.trim_ascii().is_empty());
    whole.map(|(number, line)| (number, line.strip_suffix(b"\r").unwrap_or(line))).collect()
}

fn read(text: &str) {
    let Ok(line) = LogLine::parse(text) else { return };
    let status = line.status;
    assert!(status.is_none_or(|status| (100..=999).contains(&status)), "{text:?}");
    for part in [line.client.virtual_host, line.client.host] {
        assert!(part.is_none_or(|part| text.contains(part)), "{text:?}");
    }
    // Texts that are kept as the log has them, escapes and control characters included, may read otherwise when they
    // are written again.
    let is_kept = matches!(&line.request, Request::Other(text) if text.contains(|c: char| c == '\\' || c.is_control()))
        || line.referer.as_deref().is_some_and(|text| text.contains(char::is_control));
    if line.client.unclear_user.is_none() && !is_kept {
        let written = written(&line);
        assert_eq!(LogLine::parse(&written).as_ref(), Ok(&line), "{text:?} was written as {written:?}");
    }
    let draft = to_draft(line, None);
    assert_eq!(draft.outcome == Some(Outcome::Unknown), status.is_none());
    if let Err(error) = events::validate(draft) {
        refused(&error);
        // No text of a client keeps its request out.
        assert!(error.to_string().starts_with("occurred_at: "), "{text:?}: {error}");
    }
}

/// The line, written in the combined format, with the virtual host in front.
fn written(line: &LogLine<'_>) -> String {
    let request = match &line.request {
        Request::Http { method, path } => format!("{method} {path} HTTP/1.1"),
        Request::Other(text) => text.clone().into_owned(),
        Request::Nothing => String::new(),
    };
    let client = &line.client;
    let name = |name: Option<&str>| name.map_or("-".to_owned(), escaped);
    format!(
        "{}{} {} {} [{}] \"{}\" {} - \"{}\" \"{}\"",
        client.virtual_host.map(|name| format!("{name} ")).unwrap_or_default(),
        client.host.unwrap_or("-"),
        name(client.ident.as_deref()),
        name(client.user.as_deref()),
        line.at.format("%d/%b/%Y:%H:%M:%S%.6f +0000"),
        escaped(&request),
        line.status.map_or("-".to_owned(), |status| status.to_string()),
        escaped(line.referer.as_deref().unwrap_or_default()),
        escaped(line.user_agent.as_deref().unwrap_or_default()),
    )
}

/// The text with every byte escaped but letters and digits.
fn escaped(text: &str) -> String {
    let byte = |byte: u8| {
        if byte.is_ascii_alphanumeric() { char::from(byte).to_string() } else { format!("\\x{byte:02X}") }
    };
    text.bytes().map(byte).collect()
}
