//! `retention` and `hold`: rules, what they remove, and what stays.

use diesel::connection::SimpleConnection as _;
use diesel::{Connection as _, SqliteConnection};
use serde_json::json;

use crate::support::Program;

const TENANT: &str = "69e732d6-8ecc-45c4-a2eb-8438f7ffe775";

/// Makes all rules an hour older, so that they may remove events.
fn settle(program: &Program) {
    let path = program.data_dir().join("trailkeeper.db");
    let mut connection = SqliteConnection::establish(path.to_str().unwrap()).unwrap();
    connection.batch_execute("UPDATE retention_rules SET changed_at = changed_at - 3600000000").unwrap();
}

/// Lines of 90 events of three users in January 2020, and of one that happens now.
fn lines() -> String {
    let old = (0..90).map(|n| {
        let (user, day) = (n % 3, 1 + n % 28);
        format!(
            r#"{{"id":"01900000-0000-7000-8000-0000000000{n:02}","type":"page_load","user_id":"u{user}","page":"/p","tenant_id":"{TENANT}","occurred_at":"2020-01-{day:02}T10:30:00Z"}}"#
        )
    });
    let now = r#"{"type":"page_load","user_id":"u0","page":"/p"}"#.to_owned();
    old.chain([now]).collect::<Vec<_>>().join("\n")
}

#[test]
fn old_events_are_previewed_removed_and_not_taken_again_and_a_hold_keeps_them() {
    let program = Program::new();
    let file = program.file("events.ndjson", lines());
    program.run(&["import", "events", &file]).good();
    assert_eq!(program.run(&["retention", "preview"]).good().stdout, "would remove 0\n");
    let set = program.run(&["retention", "set", "--keep-days", "30", "--tenant", TENANT]).good().stdout;
    assert!(set.starts_with("rule ") && set.ends_with(" keeps events for 30 days\n"), "{set}");
    let placed = program.run(&["hold", "place", "--case", "2026-17", "--reason", "court order", "--user", "u1"]);
    assert!(placed.good().stdout.ends_with(" is placed\n"));
    let holds = program.json(&["hold", "list", "--json"]);
    assert_eq!(
        (&holds[0]["case"], &holds[0]["user_id"], &holds[0]["tenant_id"]),
        (&json!("2026-17"), &json!("u1"), &json!(null))
    );
    let found = program.json(&["retention", "preview", "--json"]);
    assert_eq!((&found["would_remove"], &found["held"]), (&json!(60), &json!(30)));
    settle(&program);
    let removed = program.run(&["retention", "run"]).good().stdout;
    assert!(removed.starts_with("removed 60 events in 1 steps; "), "{removed}");
    let verified = program.run(&["verify"]).good().stdout;
    assert!(verified.ends_with(": 0 differences\n"), "{verified}");
    // The same file again: what is gone is not taken, and what stays is too old, too.
    let again = program.run(&["import", "events", &file]).good();
    assert!(again.stdout.contains("refused   90"), "{}", again.stdout);
    assert!(again.stdout.contains("are not kept any more"), "{}", again.stdout);
    program.run(&["hold", "lift", "--case", "2026-17"]).good();
    assert!(program.run(&["hold", "lift", "--case", "2026-17"]).failed(1).contains("`hold list`"));
    let removed = program.run(&["retention", "run"]).good().stdout;
    assert!(removed.starts_with("removed 30 events"), "{removed}");
    program.run(&["rebuild"]).good();
    let rules = program.json(&["retention", "list", "--json"]);
    assert_eq!((&rules[0]["keep_days"], &rules[0]["tenant_id"]), (&json!(30), &json!(TENANT)));
    program.run(&["retention", "remove", rules[0]["id"].as_str().unwrap()]).good();
    assert_eq!(program.json(&["retention", "list", "--json"]), json!([]));
    let again = program.run(&["import", "events", &file]).good();
    assert!(again.stdout.contains("refused   90"), "a removed rule takes nothing back: {}", again.stdout);
}

#[test]
fn wrong_rules_and_holds_are_refused_with_the_way_out() {
    let program = Program::new();
    let failed = |arguments: &[&str]| program.run(arguments).failed(1);
    assert!(failed(&["retention", "set", "--keep-days", "0"]).contains("keep_days: is 0; send"));
    let sheets = failed(&["retention", "set", "--keep-days", "30", "--keep-sheets-days", "30"]);
    assert!(sheets.contains("keep_sheets_days: is 30"), "{sheets}");
    let subject = failed(&["hold", "place", "--case", "x", "--reason", "y"]);
    assert!(subject.contains("name a tenant, a user, or both"), "{subject}");
    let unknown = failed(&["retention", "remove", "01900000-0000-7000-8000-000000000000"]);
    assert!(unknown.contains("there is no rule of retention"), "{unknown}");
}
