//! `check` and `rebuild`: what is wrong is told, and mended.

use diesel::connection::SimpleConnection as _;
use diesel::{Connection as _, SqliteConnection};

use crate::support::Program;

/// A program whose database has 300 events of three users on two days, in two tenants and outside any.
fn with_events() -> Program {
    let program = Program::new();
    let tenants = [
        "",
        r#","tenant_id":"69e732d6-8ecc-45c4-a2eb-8438f7ffe775""#,
        r#","tenant_id":"7e000000-8ecc-45c4-a2eb-8438f7ffe775""#,
    ];
    let lines: Vec<String> = (0..300)
        .map(|n| {
            let (user, page, day, hour) = (n % 3, n % 7, 1 + n % 2, n % 24);
            format!(
                r#"{{"type":"page_load","user_id":"u{user}","page":"/p{page}","occurred_at":"2026-02-{day:02}T{hour:02}:30:00Z"{}}}"#,
                tenants[n / 100]
            )
        })
        .collect();
    let file = program.file("events.ndjson", lines.join("\n"));
    program.run(&["import", "events", &file]).good();
    program
}

/// Runs SQL on the database, past the program.
fn corrupt(program: &Program, sql: &str) {
    let path = program.data_dir().join("trailkeeper.db");
    let mut connection = SqliteConnection::establish(path.to_str().unwrap()).unwrap();
    connection.batch_execute(sql).unwrap();
}

/// What `check` prints, which must find something.
fn differences(program: &Program) -> String {
    let done = program.run(&["verify"]);
    let message = done.stdout.clone();
    assert!(done.failed(1).contains("`trailkeeper rebuild`"), "{message}");
    message
}

fn rebuild(program: &Program) {
    let message = program.run(&["rebuild"]).good().stdout;
    assert!(message.contains(" from 300 events"), "{message}");
    assert_clean(program);
}

fn assert_clean(program: &Program) {
    let message = program.run(&["verify"]).good().stdout;
    // Import has merged what it recorded.
    assert!(
        message.starts_with("300 events, ") && message.ends_with(" and 0 deltas were compared: 0 differences\n"),
        "{message}"
    );
}

#[test]
fn what_is_wrong_with_a_sheet_is_told_and_mended() {
    let program = with_events();
    assert_clean(&program);

    corrupt(
        &program,
        "UPDATE sheets SET payload = substr(payload, 1, length(payload) - 1) WHERE scope = 0 AND level = 3 AND part = 1",
    );
    let message = differences(&program);
    assert!(message.starts_with("sheet of everyone, month 2026-02-01T00:00:00Z, totals, run 0: "), "{message}");
    rebuild(&program);

    corrupt(&program, "DELETE FROM sheets WHERE scope <> 0 AND level = 2 AND part = 2");
    let message = differences(&program);
    assert!(
        message.contains("tenant 69e732d6-8ecc-45c4-a2eb-8438f7ffe775, day 2026-02-01T00:00:00Z, views of page "),
        "{message}"
    );
    assert!(message.contains("the sheets have 0 events of 0 users, the events themselves are "), "{message}");
    let limited = program.run(&["verify", "--limit", "2"]).stdout;
    assert!(limited.lines().count() == 4 && limited.contains("… and "), "{limited}");
    rebuild(&program);
}

#[test]
fn an_event_that_was_changed_is_told_and_counted() {
    let program = with_events();
    corrupt(
        &program,
        "UPDATE events SET user_ref = (SELECT max(id) FROM dict_users) + 1 WHERE seq = (SELECT max(seq) FROM events WHERE tenant_id <> 0)",
    );
    let message = differences(&program);
    assert!(message.contains("everyone, month 2026-02-01T00:00:00Z, all views: the sheets have 300 events of 3 users, the events themselves are 300 of 4"), "{message}");
    rebuild(&program);
}

#[test]
fn a_database_without_events_has_nothing_to_differ() {
    let program = Program::new();
    let message = program.run(&["check"]).good().stdout;
    assert_eq!(message, "0 events, 0 sheets and 0 deltas were compared: 0 differences\n");
    let message = program.run(&["rebuild"]).good().stdout;
    assert!(message.starts_with("0 sheets of 0 bytes from 0 events"), "{message}");
}
