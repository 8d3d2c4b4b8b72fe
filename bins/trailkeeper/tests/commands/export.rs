//! `export`.

use std::fs;

use serde_json::{Value, json};

use crate::support::{Program, mode};

const LINES: &str = r#"{"id":"11111111-1111-4111-8111-111111111111","type":"page_load","user_id":"jane","page":"/a","occurred_at":"2026-01-01T00:00:00Z"}
{"id":"21111111-1111-4111-8111-111111111111","type":"login_fail","user_id":"=bob","tenant_id":"69e732d6-8ecc-45c4-a2eb-8438f7ffe775","occurred_at":"2026-02-01T00:00:00Z"}
"#;

/// A program with two events.
fn program() -> Program {
    let program = Program::new();
    program.run_with_input(&["import", "events", "-"], LINES.as_bytes()).good();
    program
}

/// The path of a file beside the data folder.
fn path(program: &Program, name: &str) -> String {
    program.data_dir().with_file_name(name).display().to_string()
}

fn read(program: &Program, name: &str) -> String {
    fs::read_to_string(path(program, name)).unwrap()
}

fn manifest(program: &Program, name: &str) -> Value {
    serde_json::from_str(&read(program, &format!("{name}.manifest.json"))).unwrap()
}

#[test]
fn events_are_exported_with_a_manifest_and_imported_again() {
    let program = program();
    let file = path(&program, "events.ndjson");
    assert_eq!(program.run(&["export", "events", &file]).good().stdout, format!("{file}: 2 events\n"));
    let text = read(&program, "events.ndjson");
    let ids: Vec<Value> = text.lines().map(|line| serde_json::from_str::<Value>(line).unwrap()["id"].take()).collect();
    assert_eq!(ids, ["11111111-1111-4111-8111-111111111111", "21111111-1111-4111-8111-111111111111"]);
    let facts = manifest(&program, "events.ndjson");
    assert_eq!((&facts["what"], &facts["rows"]), (&json!("events"), &json!(2)));
    assert_eq!(facts["bytes"], text.len());
    for name in ["events.ndjson", "events.ndjson.manifest.json"] {
        assert_eq!(mode(path(&program, name).as_ref()), 0o600, "{name}");
    }
    assert!(!fs::exists(path(&program, "events.ndjson.part")).unwrap());
    // Into the same database, nothing is new; into an empty one, both are.
    let summary = program.run(&["import", "events", &file]).good().stdout;
    assert!(summary.starts_with("stored    0\nknown     2\nrefused   0\n"), "{summary}");
    let other = Program::new();
    let summary = other.run_with_input(&["import", "events", "-"], text.as_bytes()).good().stdout;
    assert!(summary.starts_with("stored    2\nknown     0\nrefused   0\n"), "{summary}");
    let again = path(&other, "again.ndjson");
    other.run(&["export", "events", &again]).good();
    let without_receipt = |text: &str| {
        let mut lines: Vec<Value> = text.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
        for line in &mut lines {
            line["received_at"] = Value::Null;
        }
        lines
    };
    assert_eq!(without_receipt(&read(&other, "again.ndjson")), without_receipt(&text));
}

#[test]
fn filters_choose_events_and_formulas_are_quoted() {
    let program = program();
    let run = |name: &str, more: &[&str]| {
        let file = path(&program, name);
        program.run(&[&["export", "events", &file], more].concat()).good();
        let names_and_rows = read(&program, name);
        (names_and_rows.lines().count() - 1, names_and_rows)
    };
    assert_eq!(run("all.csv", &[]).0, 2);
    let (rows, text) = run("tenant.csv", &["--tenant", "69e732d6-8ecc-45c4-a2eb-8438f7ffe775"]);
    assert!(rows == 1 && text.contains(",'=bob,"), "{text}");
    assert!(run("kept.csv", &["--keep-formulas"]).1.contains(",=bob,"));
    assert_eq!(run("type.csv", &["--type", "page_load"]).0, 1);
    assert_eq!(run("user.csv", &["--user", "jane", "--user", "nobody"]).0, 1);
    assert_eq!(run("range.csv", &["--from", "2026-01-02", "--to", "2026-02-01"]).0, 1);
    assert_eq!(run("before.csv", &["--to", "2026-02-01T00:00:00Z"]).0, 1);
    // The imports and exports so far, which the server's own trail has.
    assert!(run("trail.csv", &["--audit-trail"]).0 > 10);
    assert!(run("positions.csv", &["--positions"]).1.lines().next().unwrap().ends_with(",position"));
    let conditions = json!(["from=2026-01-02T00:00:00Z", "to=2026-02-02T00:00:00Z"]);
    assert_eq!(manifest(&program, "range.csv")["conditions"], conditions);
}

#[test]
fn wrong_files_are_refused_and_nothing_is_overwritten() {
    let program = program();
    let refused = |arguments: &[&str], code| program.run(arguments).failed(code);
    let text = path(&program, "events.txt");
    assert!(refused(&["export", "events", &text], 1).contains("does not say the format"));
    let packed = path(&program, "events.parquet.gz");
    assert!(refused(&["export", "events", &packed], 1).contains("compressed already"));
    assert!(refused(&["export", "events", &text, "--format", "xlsx"], 2).contains("ndjson, csv, parquet"));
    let taken = program.file("taken.csv", "mine");
    assert!(refused(&["export", "events", &taken], 1).contains("exists already"));
    assert_eq!(read(&program, "taken.csv"), "mine");
    let part = program.file("cut.ndjson.part", "half");
    let cut = part.trim_end_matches(".part");
    assert!(refused(&["export", "events", cut], 1).contains("--resume"));
    assert!(refused(&["export", "events", cut, "--resume"], 1).contains("nothing to go on with"));
    let parquet = path(&program, "events.parquet");
    assert!(refused(&["export", "events", &parquet, "--resume"], 1).contains("cannot be continued"));
    let missing = path(&program, "no/such/events.csv");
    assert!(refused(&["export", "events", &missing], 1).contains("No such file"));
}

#[test]
fn an_interrupted_export_goes_on_behind_its_last_state() {
    let program = program();
    let whole = path(&program, "whole.ndjson");
    program.run(&["export", "events", &whole, "--positions"]).good();
    let text = read(&program, "whole.ndjson");
    let first = text.lines().next().unwrap();
    let position = serde_json::from_str::<Value>(first).unwrap()["position"].clone();
    let end = manifest(&program, "whole.ndjson")["end"].clone();
    let state = |bytes: usize| {
        json!({
            "content": {"what": "events", "conditions": ["positions"], "format": "ndjson", "compression": null, "keeps_formulas": false},
            "bytes": bytes, "rows": 1, "position": position, "end": end, "began_at": "2026-11-30T00:00:00Z",
        })
        .to_string()
    };
    let begin = |name: &str, bytes| {
        // Behind the saved state lies what was written when the command was killed.
        let part = program.file(&format!("{name}.part"), format!("{first}\nhalf a li"));
        program.file(&format!("{name}.part.json"), state(bytes));
        part.trim_end_matches(".part").to_owned()
    };
    let cut = begin("cut.ndjson", first.len() + 1);
    let other = program.run(&["export", "events", &cut, "--resume"]).failed(1);
    assert!(other.contains("other conditions"), "{other}");
    program.run(&["export", "events", &cut, "--positions", "--resume"]).good();
    assert_eq!(read(&program, "cut.ndjson"), text);
    let mut facts = [manifest(&program, "cut.ndjson"), manifest(&program, "whole.ndjson")];
    for facts in &mut facts {
        facts["began_at"] = Value::Null;
    }
    assert_eq!(facts[0], facts[1]);
    assert!(!fs::exists(path(&program, "cut.ndjson.part.json")).unwrap());
    let short = begin("short.ndjson", 10_000);
    let refused = program.run(&["export", "events", &short, "--positions", "--resume"]).failed(1);
    assert!(refused.contains("shorter"), "{refused}");
}

#[test]
fn records_of_the_directory_are_exported_and_imported_again() {
    let program = Program::new();
    let tenant = "69e732d6-8ecc-45c4-a2eb-8438f7ffe775";
    let user = json!({"user_id": "jane", "email": "jane@example.com", "attributes": {"department": "sales"}, "tenants": [{"tenant_id": tenant, "created_at": "2026-01-01T00:00:00Z"}]});
    program.run_with_input(&["import", "users", "-"], user.to_string().as_bytes()).good();
    let named = json!({"tenant_id": tenant, "name": "Example"});
    program.run_with_input(&["import", "tenants", "-"], named.to_string().as_bytes()).good();
    let other = Program::new();
    for what in ["tenants", "users", "memberships"] {
        let name = format!("{what}.ndjson.zst");
        let file = path(&program, &name);
        assert_eq!(program.run(&["export", what, &file]).good().stdout, format!("{file}: 1 {what}\n"));
        assert_eq!(manifest(&program, &name)["compression"], "zstd");
        let summary = other.run(&["import", what, &file]).good().stdout;
        assert!(summary.starts_with("created   1\nreplaced  0\nrefused   0\n"), "{summary}");
        let plain = format!("{what}.ndjson");
        for one in [&program, &other] {
            one.run(&["export", what, &path(one, &plain)]).good();
        }
        let without_update = |program: &Program| {
            let mut record: Value = serde_json::from_str(&read(program, &plain)).unwrap();
            record["updated_at"] = Value::Null;
            record
        };
        assert_eq!(without_update(&program), without_update(&other), "{what}");
    }
}
