//! `import` and `demo`.

use std::io::Write as _;
#[cfg(unix)]
use std::process::{Command, Stdio};
#[cfg(unix)]
use std::thread;
#[cfg(unix)]
use std::time::{Duration, Instant};

use serde_json::json;

use crate::support::Program;

const TENANT: &str = "69e732d6-8ecc-45c4-a2eb-8438f7ffe775";

fn compressed(content: &str) -> Vec<u8> {
    let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::default());
    encoder.write_all(content.as_bytes()).unwrap();
    encoder.finish().unwrap()
}

fn counts(summary: &str) -> Vec<(String, u64)> {
    let rows = summary.lines().take(3).map(|line| line.split_once(' ').unwrap());
    rows.map(|(label, count)| (label.to_owned(), count.trim().parse().unwrap())).collect()
}

fn events(stored: u64, known: u64, refused: u64) -> Vec<(String, u64)> {
    vec![("stored".to_owned(), stored), ("known".to_owned(), known), ("refused".to_owned(), refused)]
}

fn records(created: u64, replaced: u64, refused: u64) -> Vec<(String, u64)> {
    vec![("created".to_owned(), created), ("replaced".to_owned(), replaced), ("refused".to_owned(), refused)]
}

#[test]
fn events_are_stored_once_and_rejected_lines_are_reported() {
    let program = Program::new();
    let lines = format!(
        "{}\n\n{}\n{}\nnot json\n\u{feff}{}\n{{\"type\":\"x\",\"env_id\":\"1\"}}\n",
        r#"{"id":"11111111-1111-4111-8111-111111111111","type":"page_load","user_id":"jane","page":"/a","occurred_at":"2026-01-01T00:00:00Z"}"#,
        r#"{"id":"21111111-1111-4111-8111-111111111111","type":"login_success"}"#,
        r#"{"id":"31111111-1111-4111-8111-111111111111","type":"x","occurred_at":"2999-01-01T00:00:00Z"}"#,
        r#"{"id":"41111111-1111-4111-8111-111111111111","type":"x","source":5,"user_agent":"a\tb"}"#,
    );
    let file = program.file("events.ndjson", &lines);
    let summary = program.run(&["import", "events", &file]).good().stdout;
    assert_eq!(counts(&summary), events(3, 0, 3), "{summary}");
    assert!(summary.contains("  line 4: occurred_at: "), "{summary}");
    assert!(summary.contains("  line 5: this is not valid JSON"), "{summary}");
    assert!(summary.contains("  line 7: env_id: '1' is not a whole number"), "{summary}");
    // Fields that are not stored as they were sent are warnings. The line begins with a byte order mark.
    let warnings = "warnings  2\n  line 6: source: '5' is not a text; null is stored, and the text is in original.source\n  line 6: user_agent: contains the control character U+0009 at position 1";
    assert!(summary.contains(warnings), "{summary}");

    // Compressed under any name, and through a pipe, the result is the same.
    let file = program.file("events.txt", compressed(&lines));
    assert_eq!(counts(&program.run(&["import", "events", &file]).good().stdout), events(0, 3, 3));
    let piped = program.run_with_input(&["import", "events", "-"], lines.as_bytes()).good().stdout;
    assert_eq!(counts(&piped), events(0, 3, 3));
    // In another tenant, the same id is another event.
    let elsewhere = program.run_with_input(&["import", "events", "-", "--tenant", TENANT], lines.as_bytes());
    assert_eq!(counts(&elsewhere.good().stdout), events(3, 0, 3));
    // Only the server writes to the system tenant.
    let own = program.run(&["import", "events", &file, "--tenant", "ffffffff-ffff-ffff-ffff-ffffffffffff"]);
    assert!(own.failed(2).contains("only the server writes"));
}

#[test]
fn more_than_a_batch_is_stored_and_a_too_long_line_is_rejected() {
    let program = Program::new();
    let mut lines: Vec<_> = (0..20_500)
        .map(|n| format!(r#"{{"id":"11111111-1111-4111-8111-{n:012}","type":"x","user_id":"u{n}"}}"#))
        .collect();
    lines.push(format!(r#"{{"type":"{}"}}"#, "x".repeat(2_000_000)));
    lines.push(r#"{"type":"y"}"#.to_owned());
    let file = program.file("many.gz", compressed(&lines.join("\n")));
    let summary = program.run(&["import", "events", &file]).good().stdout;
    assert_eq!(counts(&summary), events(20_501, 0, 1), "{summary}");
    assert!(summary.contains("  line 20501: the line is longer than 1048576 bytes"), "{summary}");
}

#[test]
fn an_access_log_is_stored_once_compressed_or_not() {
    let program = Program::new();
    let log = r#"192.0.2.7 - - [17/May/2026:10:05:03 +0000] "GET /a HTTP/1.1" 200 2 "-" "curl"
192.0.2.7 - - [17/May/2026:10:05:03 +0000] "GET /a HTTP/1.1" 200 2 "-" "curl"
host.example - jane [17/May/2026:10:05:03 +0000] "POST /a HTTP/1.1" 500 2
192.0.2.7 - - [17/May/2026:10:05:03 +0000] "GET /a HTTP/1.1" 200 2 "-" "cut o
"#;
    let plain = program.file("access.log", log);
    let first = program.run(&["import", "access-log", &plain]).good().stdout;
    assert_eq!(counts(&first), events(3, 0, 1), "{first}");
    assert!(first.contains("  line 4: user agent: the closing quote is missing"), "{first}");
    for file in [plain, program.file("access.copy", compressed(log))] {
        assert_eq!(counts(&program.run(&["import", "access-log", &file]).good().stdout), events(0, 3, 1));
    }
    for input in [log.as_bytes().to_vec(), compressed(log)] {
        let piped = program.run_with_input(&["import", "access-log", "-"], &input).good().stdout;
        assert_eq!(counts(&piped), events(0, 3, 1));
    }
    // Another file with a line of this one has the same event.
    let other = program.file("other.log", log.lines().next().unwrap());
    assert_eq!(counts(&program.run(&["import", "access-log", &other]).good().stdout), events(0, 1, 0));
}

fn log_line(path: &str, second: u64) -> String {
    format!("192.0.2.7 - - [17/May/2026:10:05:{second:02} +0000] \"GET {path} HTTP/1.1\" 200 2\n")
}

#[test]
fn a_log_that_grows_and_is_rotated_adds_its_new_lines_only() {
    let program = Program::new();
    let import = |files: &[&str], more: &[&str]| {
        let arguments = [&["import", "access-log"], files, more].concat();
        counts(&program.run(&arguments).good().stdout)
    };
    let (a, b, c) = (log_line("/a", 1), log_line("/b", 2), log_line("/c", 2));
    let first = program.file("access.log.1", format!("{a}{a}{b}"));
    assert_eq!(import(&[&first], &[]), events(3, 0, 0));
    // It grows.
    let first = program.file("access.log.1", format!("{a}{a}{b}{c}{b}"));
    assert_eq!(import(&[&first], &[]), events(2, 3, 0));
    // The rest of an equal second is in the next file: together they are counted on, apart they are not.
    let second = program.file("access.log", format!("{b}\r\n{c}"));
    assert_eq!(import(&[&second], &[]), events(0, 2, 0));
    assert_eq!(import(&[&first, &second], &[]), events(2, 5, 0));
    assert_eq!(import(&[&second, &first], &[]), events(0, 7, 0));
    // Another log has other events, and the same ones again.
    assert_eq!(import(&[&first, &second], &["--log-name", "web2"]), events(7, 0, 0));
    assert_eq!(import(&[&second], &["--log-name", "web2"]), events(0, 2, 0));
    program.run(&["import", "access-log", &first, "--log-name", ""]).failed(2);
    // Refused lines are named with their file.
    let broken = program.file("broken.log", "?\n");
    let summary = program.run(&["import", "access-log", &first, &broken]).good().stdout;
    assert!(summary.contains(&format!("  {broken}: line 1: has no time")), "{summary}");
    let trail = program.run(&["import", "access-log", &first, &second]).good();
    assert_eq!(counts(&trail.stdout), events(0, 7, 0));
}

/// The id that older versions gave a line of a file: a UUID of the digests of the whole file and the number of the
/// line.
fn old_id(file: &str, line: u64) -> uuid::Uuid {
    let digest = ring::digest::digest(&ring::digest::SHA256, file.as_bytes());
    let of = [b"trailkeeper access log line\0", digest.as_ref(), &line.to_be_bytes()].concat();
    let digest = ring::digest::digest(&ring::digest::SHA256, &of);
    uuid::Builder::from_custom_bytes(digest.as_ref()[..16].try_into().unwrap()).into_uuid()
}

#[test]
fn a_log_that_an_older_version_imported_adds_its_new_lines_only() {
    let lines: Vec<_> = (0..20).map(|n| log_line("/a", n / 3)).collect();
    let whole = format!("no line\n{}\n\n", lines.concat());
    // The older version imported the beginning, or everything, or was killed after some lines.
    for (part, stored, new) in [(1..=11, 10, 10), (1..=23, 20, 0), (1..=23, 7, 13)] {
        let program = Program::new();
        let imported: String = whole.split_inclusive('\n').take(*part.end()).collect();
        let mut old_events = String::new();
        for line in 2..2 + stored {
            let (id, second) = (old_id(&imported, line), (line - 2) / 3);
            let event = json!({"id": id, "type": "page_load", "occurred_at": format!("2026-05-17T10:05:{second:02}Z")});
            old_events += &event.to_string();
            old_events.push('\n');
        }
        let old = program.run_with_input(&["import", "events", "-"], old_events.as_bytes()).good().stdout;
        assert_eq!(counts(&old), events(stored, 0, 0));
        let file = program.file("access.log", &whole);
        let import = || counts(&program.run(&["import", "access-log", &file]).good().stdout);
        assert_eq!(import(), events(new, stored, 1), "{part:?}");
        assert_eq!(import(), events(0, 20, 1), "{part:?}");
        // In another tenant, no older version imported anything.
        let elsewhere = program.run(&["import", "access-log", &file, "--tenant", TENANT]).good().stdout;
        assert_eq!(counts(&elsewhere), events(20, 0, 1));
        let file = program.file("access.log.gz", compressed(&whole));
        assert_eq!(counts(&program.run(&["import", "access-log", &file]).good().stdout), events(0, 20, 1));
    }
}

#[test]
fn events_without_ids_are_known_by_their_lines() {
    let program = Program::new();
    let import =
        |content: &str| counts(&program.run_with_input(&["import", "events", "-"], content.as_bytes()).good().stdout);
    let login = "{\"type\":\"login_success\",\"user_id\":\"jane\",\"occurred_at\":\"2026-01-01T00:00:00Z\"}\n";
    let now = "{\"type\":\"x\"}\n";
    let named = "{\"type\":\"x\",\"id\":\"11111111-1111-4111-8111-111111111111\"}\n";
    assert_eq!(import(&[login, login, now, named, named].concat()), events(4, 1, 0));
    assert_eq!(import(&[now, login, named, login, now, login].concat()), events(2, 4, 0));
}

#[test]
fn a_truncated_compressed_log_stores_its_whole_lines() {
    let program = Program::new();
    let lines: Vec<_> = (0..5_000).map(|n| log_line(&format!("/{n}"), n % 60)).collect();
    let whole = compressed(&lines.concat());
    let file = program.file("access.log.gz", &whole[..whole.len() / 2]);
    let done = program.run(&["import", "access-log", &file]);
    let stored = counts(&done.stdout)[0].1;
    assert!(stored > 1_000 && stored < 4_000, "{}", done.stdout);
    let message = done.failed(1);
    assert!(message.contains(&format!("access.log.gz: cannot be read after line {stored}")), "{message}");
    let file = program.file("access.log.gz", whole);
    assert_eq!(counts(&program.run(&["import", "access-log", &file]).good().stdout), events(5_000 - stored, stored, 0));
}

#[test]
fn zero_bytes_after_compressed_data_are_padding_and_anything_else_is_an_error() {
    let program = Program::new();
    let line = |path: &str| format!("192.0.2.7 - - [17/May/2026:10:05:03 +0000] \"GET {path} HTTP/1.1\" 200 2\n");
    let padded = [compressed(&line("/a")), vec![0; 1_000], compressed(&line("/b")), vec![0; 70_000]].concat();
    let file = program.file("padded.gz", &padded);
    assert_eq!(counts(&program.run(&["import", "access-log", &file]).good().stdout), events(2, 0, 0));
    // The content is the same without padding, so the events are the same.
    let file = program.file("plain.log", line("/a") + &line("/b"));
    assert_eq!(counts(&program.run(&["import", "access-log", &file]).good().stdout), events(0, 2, 0));

    let file = program.file("garbage.gz", [padded.as_slice(), b"x"].concat());
    let done = program.run(&["import", "access-log", &file]);
    assert_eq!(counts(&done.stdout), events(0, 2, 0));
    assert!(done.failed(1).contains("garbage.gz: cannot be read after line 2"));
}

#[test]
fn lines_of_a_log_are_read_in_every_known_form_and_refused_in_others() {
    let program = Program::new();
    let time = "[17/May/2026:10:05:03.250 +0000]";
    let request = r#""GET /a HTTP/1.1" 200 5"#;
    let known = [
        format!(r#"shop.example:443 203.0.113.7 - jane {time} {request} "-" "UA""#),
        format!("172.16.10.1 - - {time} {request} 1736"),
        format!("203.0.113.7, 10.0.0.1 - CORP\\\\jane {time} {request}"),
        format!("[fe80::1%eth0]:443   -   jane doe   {time}   {request}"),
        format!("- - - {time} \"-\" 000 -"),
    ];
    let refused = [
        ("203.0.113.7 10.0.0.1 - -", "begins with two addresses, '203.0.113.7' and '10.0.0.1'"),
        ("Oct 10 13:55:36 web1 nginx: 203.0.113.7 - -", "has more fields before the time"),
        ("203.0.113.256 - -", "'203.0.113.256' is neither an address nor a host name"),
    ];
    // A line in Latin-1 keeps its name.
    let mut log = [b"203.0.113.7 - J\xfcrgen ".as_slice(), time.as_bytes(), b" ", request.as_bytes()].concat();
    for line in &known {
        log.extend_from_slice(format!("\n{line}").as_bytes());
    }
    for (fields, _) in refused {
        log.extend_from_slice(format!("\n{fields} {time} {request}").as_bytes());
    }
    let summary = program.run_with_input(&["import", "access-log", "-"], &log).good().stdout;
    assert_eq!(counts(&summary), events(6, 0, 3), "{summary}");
    for (number, (_, reason)) in (7..).zip(refused) {
        assert!(summary.contains(&format!("  line {number}: ")) && summary.contains(reason), "{summary}");
    }
}

#[test]
fn lines_of_a_given_format_and_of_json_are_read() {
    let program = Program::new();
    let log =
        "17/May/2026:10:05:03 +0000|192.0.2.7|\"GET /a HTTP/1.1\"|200\n17/May/2026:10:05:03 +0000|192.0.2.7|\"GET /a\n";
    let file = program.file("access.log", log);
    let format = "$time_local|$remote_addr|\"$request\"|$status";
    let summary = program.run(&["import", "access-log", &file, "--format", format]).good().stdout;
    assert_eq!(counts(&summary), events(1, 0, 1), "{summary}");
    assert!(summary.contains("  line 2: a closing quote is missing"), "{summary}");
    // Without the format, nothing is read.
    program.run(&["import", "access-log", &file]).failed(1);
    let message = program.run(&["import", "access-log", &file, "--format", "$remote_addr$status"]).failed(2);
    assert!(message.contains("'$remote_addr' and '$status' stand side by side"), "{message}");
    let json = r#"{"ts":1778997903.25,"request":{"remote_ip":"192.0.2.7","method":"GET","uri":"/a.css","headers":{}},"status":200}"#;
    let mixed = format!("{json}\n{}{{\"level\":\"info\"}}\n", log_line("/a", 1));
    let file = program.file("mixed.log", mixed);
    let summary = program.run(&["import", "access-log", &file, "--keep-assets", "--keep-bots"]).good().stdout;
    assert_eq!(counts(&summary), events(2, 0, 1), "{summary}");
}

/// Follows a log until `is_done` holds of the checkpoint, and ends the follower by SIGTERM. Returns its summary.
#[cfg(unix)]
fn followed(program: &Program, arguments: &[&str], is_done: impl Fn() -> bool) -> String {
    let mut command = program.command(&[&["import", "access-log", "--follow"], arguments].concat());
    let child = command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    let begun = Instant::now();
    while !is_done() {
        assert!(begun.elapsed() < Duration::from_mins(1), "the log is not followed");
        thread::yield_now();
    }
    assert!(Command::new("kill").args(["-TERM", &child.id().to_string()]).status().unwrap().success());
    let output = child.wait_with_output().unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8(output.stdout).unwrap()
}

#[test]
#[cfg(unix)]
fn a_followed_log_goes_on_at_its_checkpoint() {
    let program = Program::new();
    let log = program.file("access.log", format!("{0}{0}", log_line("/a", 1)));
    let checkpoint = format!("{log}.checkpoint");
    let position = || {
        let text = std::fs::read_to_string(&checkpoint).ok()?;
        let saved: serde_json::Value = serde_json::from_str(&text).unwrap();
        saved["files"][0]["position"].as_u64()
    };
    let is_read = || position() == Some(std::fs::metadata(&log).unwrap().len());
    let arguments = [log.as_str(), "--checkpoint", &checkpoint];
    assert_eq!(counts(&followed(&program, &arguments, is_read)), events(2, 0, 0));
    // Only what is new is read, and it is counted on.
    let mut file = std::fs::OpenOptions::new().append(true).open(&log).unwrap();
    file.write_all(log_line("/a", 1).as_bytes()).unwrap();
    assert_eq!(counts(&followed(&program, &arguments, is_read)), events(1, 0, 0));
    // A line without a line end is not finished.
    let rest = "192.0.2.7 - - [17/May";
    file.write_all([&log_line("/b", 1), rest].concat().as_bytes()).unwrap();
    let is_read = || position() == Some(std::fs::metadata(&log).unwrap().len() - rest.len() as u64);
    assert_eq!(counts(&followed(&program, &arguments, is_read)), events(1, 0, 0));
    file.write_all(b"/2026:10:05:03 +0000] \"GET /c HTTP/1.1\" 200 2\n").unwrap();
    let is_read = || position() == Some(std::fs::metadata(&log).unwrap().len());
    assert_eq!(counts(&followed(&program, &arguments, is_read)), events(1, 0, 0));

    let other = program.run(&[&["import", "access-log", "--follow", "--log-name", "web2"], &arguments[..]].concat());
    assert!(other.failed(1).contains("belongs to the log 'default', and --log-name is 'web2'"));
    let broken = program.file("broken", "{}");
    let broken = program.run(&["import", "access-log", "--follow", &log, "--checkpoint", &broken]);
    assert!(broken.failed(1).contains("is no checkpoint"));
    for files in [vec!["-"], vec![log.as_str(), log.as_str()]] {
        let message = program.run(&[vec!["import", "access-log", "--follow"], files].concat()).failed(1);
        assert!(message.contains("--follow: name one file"), "{message}");
    }
    program.run(&["import", "access-log", &log, "--checkpoint", &checkpoint]).failed(2);
    program.run(&["import", "access-log", "--follow", "missing.log"]).failed(1);
}

#[test]
fn users_and_tenants_are_created_then_replaced() {
    let program = Program::new();
    let tenants = format!(
        "{{\"tenant_id\":\"{TENANT}\",\"name\":\"Example\",\"created_at\":\"2026-01-01T00:00:00Z\"}}\n{{\"tenant_id\":\"ffffffff-ffff-ffff-ffff-ffffffffffff\"}}\n"
    );
    let users = format!(
        "{{\"user_id\":\"u1\",\"email\":\"a@example.com\",\"attributes\":{{\"plan\":\"pro\"}},\"tenants\":[{{\"tenant_id\":\"{TENANT}\"}}]}}\n{{\"user_id\":\"u2\",\"email\":\"A@example.com\"}}\n{{\"user_id\":\"u3\"}}\n"
    );
    let (tenants, users) = (program.file("tenants.ndjson", tenants), program.file("users.ndjson", users));
    let printed = program.run(&["import", "tenants", &tenants]).good().stdout;
    assert_eq!(counts(&printed), records(1, 0, 1), "{printed}");
    assert!(printed.contains("  line 2: tenant_id: ") && printed.contains("reserved"), "{printed}");
    assert_eq!(counts(&program.run(&["import", "tenants", &tenants]).good().stdout), records(0, 1, 1));

    let printed = program.run(&["import", "users", &users]).good().stdout;
    assert_eq!(counts(&printed), records(2, 0, 1), "{printed}");
    assert!(printed.contains("  line 2: email: "), "{printed}");
    assert_eq!(counts(&program.run(&["import", "users", &users]).good().stdout), records(0, 2, 1));
}

#[test]
fn a_missing_file_a_folder_and_a_file_of_another_format_are_errors() {
    let program = Program::new();
    let message = program.run(&["import", "events", "missing.ndjson"]).failed(1);
    assert!(message.contains("missing.ndjson"), "{message}");
    assert!(!program.data_dir().exists());
    let message = program.run(&["import", "events", "."]).failed(1);
    assert!(message.contains("is a folder"), "{message}");
    let file = program.file("prose.txt", "no\nlog\n");
    let message = program.run(&["import", "access-log", &file]).failed(1);
    assert!(message.contains("no line could be imported"), "{message}");
    let empty = program.file("empty", "");
    assert_eq!(counts(&program.run(&["import", "events", &empty]).good().stdout), events(0, 0, 0));
}

#[test]
fn demo_data_is_loaded_only_into_an_empty_database() {
    let program = Program::new();
    // An account and its audit events do not count as data.
    program.run(&["account", "create", "jane@example.com", "--role", "admin"]).good();
    let printed = program.run(&["demo"]).good().stdout;
    assert!(printed.starts_with("20 tenants, 2000 users, 60"), "{printed}");
    let message = program.run(&["demo"]).failed(1);
    assert!(message.contains("already has events or records"), "{message}");
}
