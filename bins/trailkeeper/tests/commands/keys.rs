//! `token-key` and `master-key`.

use diesel::connection::SimpleConnection as _;
use diesel::{Connection as _, SqliteConnection};
use serde_json::Value;

use crate::support::{Done, Program};

fn kids(program: &Program) -> Vec<(String, bool)> {
    let listed = program.json(&["token-key", "list", "--json"]);
    let keys = listed.as_array().unwrap().clone();
    keys.iter().map(|key| (key["kid"].as_str().unwrap().to_owned(), key["signs"].as_bool().unwrap())).collect()
}

/// Runs a command with the master key in its environment.
fn with_keys(program: &Program, arguments: &[&str], current: &str, previous: Option<&str>) -> Done {
    let mut command = program.command(arguments);
    command.env("TRAILKEEPER_MASTER_KEY", current);
    if let Some(previous) = previous {
        command.env("TRAILKEEPER_MASTER_KEY_PREVIOUS", previous);
    }
    let output = command.output().unwrap();
    Done {
        code: output.status.code(),
        stdout: String::from_utf8(output.stdout).unwrap(),
        stderr: String::from_utf8(output.stderr).unwrap(),
    }
}

#[test]
fn token_keys_are_rotated_and_listed() {
    let program = Program::new();
    assert_eq!(program.json(&["token-key", "list", "--json"]), Value::Array(Vec::new()));
    assert!(!program.data_dir().join("master.key").exists(), "a list seals nothing");

    let made = program.json(&["token-key", "rotate", "--json"]);
    assert_eq!(made["revoked"], Value::Array(Vec::new()));
    let listed = kids(&program);
    assert_eq!(listed.len(), 2, "the first key of the database, and the new one");
    assert_eq!(listed[0].0, made["kid"].as_str().unwrap());
    let table = program.run(&["token-key", "list"]).good().stdout;
    assert!(table.starts_with("KEY ") && table.contains("verifies until 20"), "{table}");

    let printed = program.run(&["token-key", "rotate", "--revoke-others"]).good().stdout;
    assert!(printed.contains(&format!("token key {} is removed", listed[0].0)), "{printed}");
    let left = kids(&program);
    assert_eq!(left.len(), 1);
    assert!(left[0].1 && printed.contains(&left[0].0), "the only key signs at once: {printed}");
}

#[test]
fn the_master_key_in_files_is_replaced() {
    let program = Program::new();
    program.run(&["token-key", "rotate"]).good();
    program.run(&["signing-key", "create", "--name", "sdk"]).good();
    let file = |name: &str| std::fs::read_to_string(program.data_dir().join(name)).unwrap();
    let first = file("master.key");
    let printed = program.run(&["master-key", "rotate"]).good().stdout;
    assert!(printed.contains("sealed 3 secrets") && printed.contains("master.key.previous"), "{printed}");
    assert!(!printed.contains(first.trim()) && !printed.contains(file("master.key").trim()), "{printed}");
    assert_eq!(file("master.key.previous"), first);
    assert_ne!(file("master.key"), first);
    #[cfg(unix)]
    for name in ["master.key", "master.key.previous", "master.key.lock"] {
        assert_eq!(crate::support::mode(&program.data_dir().join(name)), 0o600, "{name}");
    }
    // The previous key is no longer needed.
    std::fs::remove_file(program.data_dir().join("master.key.previous")).unwrap();
    program.run(&["token-key", "rotate"]).good();
    assert!(program.run(&["master-key", "rotate"]).good().stdout.contains("sealed 4 secrets"));

    // An empty database gets its first key by a rotation.
    let program = Program::new();
    program.run(&["master-key", "rotate"]).good();
    program.run(&["token-key", "rotate"]).good();
}

#[test]
#[cfg(unix)]
fn a_previous_key_that_others_can_read_is_closed_too() {
    use std::os::unix::fs::PermissionsExt as _;

    let program = Program::new();
    program.run(&["master-key", "rotate"]).good();
    let previous = program.data_dir().join("master.key.previous");
    std::fs::set_permissions(&previous, std::fs::Permissions::from_mode(0o640)).unwrap();
    let warning = program.run(&["token-key", "rotate"]).good().stderr;
    assert!(warning.contains(&format!("{} had mode 0640", previous.display())), "{warning}");
    assert_eq!(crate::support::mode(&previous), 0o600);
}

#[test]
fn the_master_key_in_the_environment_is_replaced_by_changing_the_variable() {
    let program = Program::new();
    let [first, second] = ["ab".repeat(32), "cd".repeat(32)];
    with_keys(&program, &["token-key", "rotate"], &first, None).good();
    let message = with_keys(&program, &["master-key", "rotate"], &first, None).failed(1);
    assert!(message.contains("TRAILKEEPER_MASTER_KEY_PREVIOUS") && !message.contains("abab"), "{message}");
    // With both keys, everything opens before anything is resealed.
    with_keys(&program, &["token-key", "rotate"], &second, Some(&first)).good();
    let printed = with_keys(&program, &["master-key", "rotate"], &second, Some(&first)).good().stdout;
    assert!(printed.contains("sealed 2 secrets"), "the first key sealed two, the second key the third: {printed}");
    with_keys(&program, &["token-key", "rotate"], &second, None).good();
    with_keys(&program, &["token-key", "rotate"], &first, None).failed(1);
    assert!(!program.data_dir().join("master.key").exists());

    let mut command = program.command(&["token-key", "rotate"]);
    let output = command.env("TRAILKEEPER_MASTER_KEY_PREVIOUS", &first).output().unwrap();
    let message = String::from_utf8(output.stderr).unwrap();
    assert!(message.contains("master-key-previous: is set, and master-key is not"), "{message}");
    let message = with_keys(&program, &["token-key", "list"], &second, Some("short")).failed(1);
    assert!(message.contains("master-key-previous: has 5 characters"), "{message}");
}

#[test]
fn no_master_key_is_generated_for_a_database_that_has_a_cursor_key() {
    let program = Program::new();
    program.run(&["migrate"]).good();
    let file = program.data_dir().join("trailkeeper.db");
    let mut conn = SqliteConnection::establish(file.to_str().unwrap()).unwrap();
    conn.batch_execute("INSERT INTO cursor_keys VALUES (1, x'00')").unwrap();
    let message = program.run(&["token-key", "rotate"]).failed(1);
    assert!(message.contains("another master key sealed"), "{message}");
    assert!(!program.data_dir().join("master.key").exists());
    conn.batch_execute("DELETE FROM cursor_keys").unwrap();
    program.run(&["token-key", "rotate"]).good();
}
