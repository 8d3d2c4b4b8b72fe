//! `import` and `demo`.

use std::io::Write as _;

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
    // Another file has other ids, although its first line is the same.
    let other = program.file("other.log", log.lines().next().unwrap());
    assert_eq!(counts(&program.run(&["import", "access-log", &other]).good().stdout), events(1, 0, 0));
}

#[test]
fn a_truncated_compressed_log_stores_nothing() {
    let program = Program::new();
    let line = r#"192.0.2.7 - - [17/May/2026:10:05:03 +0000] "GET /a HTTP/1.1" 200 2"#;
    let mut content = compressed(&format!("{line}\n").repeat(5_000));
    content.truncate(content.len() - 12);
    let file = program.file("access.log.gz", content);
    let message = program.run(&["import", "access-log", &file]).failed(1);
    assert!(message.contains("nothing was imported"), "{message}");
    let whole = program.file("one.log", line);
    assert_eq!(counts(&program.run(&["import", "access-log", &whole]).good().stdout), events(1, 0, 0));
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
    let message = program.run(&["import", "access-log", &file]).failed(1);
    assert!(message.contains("nothing was imported"), "{message}");
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
