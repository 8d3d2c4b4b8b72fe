//! `verify` and `rebuild`: differences are reported and repaired.

use diesel::connection::SimpleConnection as _;
use diesel::{Connection as _, SqliteConnection};

use crate::support::Program;

/// A program whose database has 300 events of three users on two days, in two tenants and without a tenant.
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

/// Runs SQL on the database, bypassing the program.
fn corrupt(program: &Program, sql: &str) {
    let path = program.data_dir().join("trailkeeper.db");
    let mut connection = SqliteConnection::establish(path.to_str().unwrap()).unwrap();
    connection.batch_execute(sql).unwrap();
}

/// The output of `verify`, which must find a difference.
fn differences(program: &Program) -> String {
    let done = program.run(&["verify"]);
    let differences = done.stdout.clone();
    assert!(done.failed(1).contains("`trailkeeper rebuild`"), "{differences}");
    differences
}

fn rebuild(program: &Program) {
    let printed = program.run(&["rebuild"]).good().stdout;
    assert!(printed.contains(" from 300 events"), "{printed}");
    assert_clean(program);
}

fn assert_clean(program: &Program) {
    let printed = program.run(&["verify"]).good().stdout;
    // The import merged its events, so no delta is left.
    assert!(
        printed.starts_with("300 events, ") && printed.ends_with(" and 0 deltas were compared: 0 differences\n"),
        "{printed}"
    );
}

#[test]
fn a_damaged_sheet_is_reported_and_repaired() {
    let program = with_events();
    assert_clean(&program);

    corrupt(
        &program,
        "UPDATE sheets SET payload = substr(payload, 1, length(payload) - 1) WHERE scope = 0 AND level = 3 AND part = 1",
    );
    let found = differences(&program);
    assert!(found.starts_with("sheet of everyone, month 2026-02-01T00:00:00Z, totals, run 0: "), "{found}");
    rebuild(&program);

    corrupt(&program, "DELETE FROM sheets WHERE scope <> 0 AND level = 2 AND part = 2");
    let found = differences(&program);
    assert!(
        found.contains("tenant 69e732d6-8ecc-45c4-a2eb-8438f7ffe775, day 2026-02-01T00:00:00Z, views of page "),
        "{found}"
    );
    assert!(found.contains("the sheets have 0 events of 0 users, the recount has "), "{found}");
    let limited = program.run(&["verify", "--limit", "2"]).stdout;
    assert!(limited.lines().count() == 4 && limited.contains("… and "), "{limited}");
    rebuild(&program);
}

#[test]
fn a_changed_event_is_reported_and_counted() {
    let program = with_events();
    corrupt(
        &program,
        "INSERT INTO dict_users SELECT max(id) + 1, randomblob(16), 'u9' FROM dict_users; \
         UPDATE events SET user_ref = (SELECT max(id) FROM dict_users) WHERE seq = (SELECT max(seq) FROM events WHERE tenant_id <> 0)",
    );
    let found = differences(&program);
    assert!(found.contains("everyone, month 2026-02-01T00:00:00Z, all views: the sheets have 300 events of 3 users, the recount has 300 of 4"), "{found}");
    rebuild(&program);
}

#[test]
fn a_lost_name_is_reported_and_fails_no_other_command() {
    let program = with_events();
    corrupt(
        &program,
        "DELETE FROM dict_users WHERE name = 'u1'; DELETE FROM dict_pages WHERE name = '/p2'; \
         DELETE FROM dict_tenants WHERE tenant_id = unhex('7e0000008ecc45c4a2eb8438f7ffe775')",
    );
    // The audit event of the import has the first user, and (other) is the first page. Events 2, 9, …, 296 have the page.
    let lost =
        [("dict_tenants", 3, "tenant_id", 100), ("dict_users", 3, "user_id", 100), ("dict_pages", 4, "page", 43)];
    let reported = |done: crate::support::Done| {
        for (table, number, field, events) in lost {
            let line =
                format!("table {table} has no row {number}, the {field} of {events} events, first of the event ");
            assert!(done.stdout.contains(&line), "{line}: {}", done.stdout);
        }
        assert!(done.stdout.ends_with(": 3 differences\n"), "{}", done.stdout);
        let message = done.failed(1);
        assert!(message.contains("from a backup") && !message.contains("rebuild"), "{message}");
    };
    reported(program.run(&["verify"]));
    let printed = program.run(&["rebuild"]).good().stdout;
    assert!(printed.contains(" from 300 events"), "{printed}");
    reported(program.run(&["verify"]));
}

#[test]
fn an_empty_database_has_no_differences_and_check_is_an_alias_of_verify() {
    let program = Program::new();
    let printed = program.run(&["check"]).good().stdout;
    assert_eq!(printed, "0 events, 0 sheets, 0 runs and 0 deltas were compared: 0 differences\n");
    let printed = program.run(&["rebuild"]).good().stdout;
    assert!(printed.starts_with("0 sheets of 0 bytes from 0 events"), "{printed}");
}

#[test]
fn verify_lists_who_shares_an_address_and_does_not_fail() {
    let program = Program::new();
    let user = |id: &str, email: &str, pool: &str| {
        format!(r#"{{"user_id":"{id}","email":"{email}","user_pool_id":"eu-west-1_{pool}"}}"#)
    };
    let lines =
        [user("u1", "a@x.example", "a"), user("u2", "strasse@x.example", "a"), user("u3", "straße@x.example", "b")];
    program.run(&["import", "users", &program.file("users.ndjson", lines.join("\n"))]).good();
    assert!(!program.run(&["verify"]).good().stdout.contains("e-mail"));
    // As an older version stored them, and the next start finds them.
    corrupt(
        &program,
        "UPDATE users SET email = 'Straße@x.example', email_folded = 'straße@x.example' WHERE user_id = 'u1';
        UPDATE email_rule SET version = 0",
    );
    let printed = program.run(&["verify"]).good().stdout;
    let line = "in the user pool 'eu-west-1_a', user 'u1' (Straße@x.example) and user 'u2' (strasse@x.example) have the same e-mail address; change all but one\n";
    assert_eq!(printed.matches("e-mail address").count(), 1, "{printed}");
    assert!(printed.contains(line), "{printed}");
}
