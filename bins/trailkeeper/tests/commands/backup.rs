//! `backup` and `restore`.

use std::fs;

use crate::support::{Program, mode};

fn with_events(lines: usize) -> Program {
    let program = Program::new();
    import(&program, 0..lines);
    program
}

fn import(program: &Program, numbers: std::ops::Range<usize>) {
    let lines: Vec<String> = numbers
        .map(|number| {
            format!(r#"{{"id":"0190{number:04}-8ecc-45c4-a2eb-8438f7ffe775","type":"page_load","user_id":"u"}}"#)
        })
        .collect();
    let file = program.file("events.ndjson", lines.join("\n"));
    program.run(&["import", "events", &file]).good();
}

/// The events that `verify` counts, without those of the system tenant.
fn events(program: &Program) -> String {
    let printed = program.run(&["verify"]).good().stdout;
    printed.split(" events").next().unwrap().to_owned()
}

#[test]
fn a_backup_is_written_verified_and_restored() {
    let program = with_events(20);
    let file = program.file("unused", "");
    let file = file.replace("unused", "backup.db");
    let printed = program.run(&["backup", &file]).good().stdout;
    assert!(printed.contains("1 MB: ") && printed.contains(" events, verified"), "{printed}");
    assert!(printed.contains("master key"), "{printed}");
    assert_eq!(mode(file.as_ref()), 0o600);
    let refused = program.run(&["backup", &file]).failed(1);
    assert!(refused.contains("exists; choose another name"), "{refused}");

    import(&program, 20..30);
    let before = events(&program);
    let refused = program.run(&["restore", &file]).failed(1);
    assert!(refused.contains("add --replace"), "{refused}");
    assert_eq!(events(&program), before);
    let printed = program.run(&["restore", &file, "--replace"]).good().stdout;
    assert!(printed.contains("the database before is ") && printed.contains("before-restore-"), "{printed}");
    assert_ne!(events(&program), before);
    let kept = fs::read_dir(program.data_dir())
        .unwrap()
        .filter(|entry| entry.as_ref().unwrap().file_name().to_string_lossy().contains(".before-restore-"));
    assert_eq!(kept.count(), 1);
}

#[test]
fn a_backup_with_differences_is_refused_and_removed() {
    use diesel::Connection as _;
    use diesel::connection::SimpleConnection as _;

    let program = with_events(20);
    let path = program.data_dir().join("trailkeeper.db");
    let mut connection = diesel::SqliteConnection::establish(path.to_str().unwrap()).unwrap();
    connection.batch_execute("DELETE FROM sheets WHERE level = 2").unwrap();
    drop(connection);
    let file = program.file("unused", "").replace("unused", "backup.db");
    let refused = program.run(&["backup", &file]).failed(1);
    assert!(refused.contains("`trailkeeper rebuild`") && refused.contains("--no-verify"), "{refused}");
    let left = |name: &str| {
        fs::read_dir(file.rsplit_once('/').unwrap().0)
            .unwrap()
            .any(|entry| entry.unwrap().file_name().to_string_lossy().starts_with(name))
    };
    assert!(!left("backup.db"));
    let printed = program.run(&["backup", &file, "--no-verify"]).good().stdout;
    assert!(printed.contains("not verified"), "{printed}");
    let refused = program.run(&["restore", &file, "--replace"]).failed(1);
    assert!(refused.contains("differences between its events and what is derived"), "{refused}");
    program.run(&["restore", &file, "--replace", "--no-verify"]).good();
    assert!(!left("trailkeeper.db.restoring"));
}

#[test]
fn postgres_has_its_own_tools() {
    let program = Program::new();
    let url = "postgres://trailkeeper@127.0.0.1:1/trailkeeper";
    for command in ["backup", "restore"] {
        let file =
            program.file("some.db", "").replace("some.db", if command == "backup" { "new.db" } else { "some.db" });
        let refused = program.run(&[command, &file, "--database-url", url]).failed(1);
        assert!(refused.contains("pg_dump and pg_restore"), "{refused}");
    }
}
