//! Formats of access logs, and lines in them: the first line of the input is a format, the others are lines.
#![no_main]

use std::sync::LazyLock;

use libfuzzer_sys::fuzz_target;
use trailkeeper_fuzz::{events, refused};
use trailkeeper_parsers::access_log::{Format, JsonLine, LogLine, to_draft};

static COMBINED: LazyLock<Format> = LazyLock::new(|| {
    let combined = r#"$remote_addr - $remote_user [$time_local] "$request" $status $body_bytes_sent "$http_referer" "$http_user_agent""#;
    Format::parse(combined).expect("nginx has this format")
});

fuzz_target!(|text: &str| {
    let (format, lines) = text.split_once('\n').unwrap_or((text, text));
    let format = Format::parse(format);
    if let Err(reason) = &format {
        assert!(!reason.is_empty());
    }
    for line in lines.lines() {
        if let Ok(Ok(read)) = format.as_ref().map(|format| format.read(line)) {
            let texts = [read.client.host, read.client.virtual_host];
            assert!(texts.into_iter().flatten().all(|part| line.contains(part)), "{line:?}");
            stored(read);
        }
        if let Ok(json) = JsonLine::parse(line)
            && let Ok(read) = json.line()
        {
            stored(read);
        }
        combined(line);
    }
});

/// No line that was read is refused for anything but its time.
fn stored(line: LogLine<'_>) {
    assert!(line.status.is_none_or(|status| (100..=999).contains(&status)));
    if let Err(error) = events::validate(to_draft(line, None)) {
        refused(&error);
        assert!(error.to_string().starts_with("occurred_at: "), "{error}");
    }
}

/// Two readers of the combined format agree about a line that both of them read.
fn combined(line: &str) {
    let (Ok(by_format), Ok(by_evidence)) = (COMBINED.read(line), LogLine::parse(line)) else { return };
    assert_eq!(by_format.at, by_evidence.at, "{line:?}");
    assert_eq!(by_format.request, by_evidence.request, "{line:?}");
    assert_eq!(by_format.status, by_evidence.status, "{line:?}");
    assert_eq!(by_format.referer, by_evidence.referer, "{line:?}");
    assert_eq!(by_format.user_agent, by_evidence.user_agent, "{line:?}");
}
