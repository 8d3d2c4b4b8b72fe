//! `config`, `migrate`, and how failures are reported.

use std::path::Path;

use crate::support::Program;

#[test]
fn config_shows_what_is_in_effect_and_hides_secrets() {
    let program = Program::new();
    let mut command = program.command(&["config", "--listen", "0.0.0.0:9000"]);
    command
        .env("TRAILKEEPER_DATABASE_URL", "postgres://keeper:hunter2secret@db.example/trail")
        .env("TRAILKEEPER_ADMIN_PASSWORD", "hunter2password")
        .env("TRAILKEEPER_MASTER_KEY", "ab".repeat(32))
        .env("TRAILKEEPER_LISTEN", "127.0.0.1:1")
        .env("TRAILKEEPER_TRUSTED_PROXIES", "10.0.0.0/8,192.0.2.1")
        .env("TRAILKEEPER_KEEP_PAGE_QUERIES", "true");
    let output = command.output().unwrap();
    assert!(output.status.success());
    let shown = String::from_utf8(output.stdout).unwrap();
    let value = |flag: &str| {
        let line = shown.lines().find(|line| line.starts_with(flag)).unwrap();
        line.split_whitespace().nth(2).unwrap().to_owned()
    };
    assert_eq!(value("--listen "), "0.0.0.0:9000", "{shown}");
    assert_eq!(value("--trusted-proxies "), "10.0.0.0/8,192.0.2.1/32");
    assert_eq!(value("--keep-page-queries "), "true");
    assert_eq!(value("--bcrypt-cost "), "4");
    assert_eq!(value("--session-days "), "90");
    assert!(value("--database-url ").contains("db.example/trail"));
    for secret in ["hunter2", "abab"] {
        assert!(!shown.contains(secret), "{shown}");
    }
    assert!(!program.data_dir().exists());
}

#[test]
fn the_reference_of_all_settings_is_the_committed_one() {
    let printed = Program::new().run(&["config", "--markdown"]).good().stdout;
    let file = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../docs/configuration.md");
    let committed = std::fs::read_to_string(file).unwrap();
    assert!(printed == committed, "docs/configuration.md differs from the code; run `make generate`");
}

#[test]
fn an_empty_variable_counts_as_not_set() {
    let program = Program::new();
    let shown = |arguments: &[&str], empty: &[&str]| {
        let mut command = program.command(arguments);
        command.env_remove("TRAILKEEPER_DATA_DIR").env_remove("TRAILKEEPER_BCRYPT_COST");
        let output = command.envs(empty.iter().map(|name| (name, ""))).output().unwrap();
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
        String::from_utf8(output.stdout).unwrap()
    };
    let (settings, help) = (shown(&["config"], &[]), shown(&["serve", "--help"], &[]));
    let variables: Vec<_> = settings.split_whitespace().filter(|word| word.starts_with("TRAILKEEPER_")).collect();
    assert!(variables.contains(&"TRAILKEEPER_WORKERS") && variables.len() > 30, "{settings}");
    assert_eq!(shown(&["config"], &variables), settings);
    assert_eq!(shown(&["serve", "--help"], &variables), help);
}

#[test]
fn help_and_usage_errors_show_no_secrets_either() {
    let program = Program::new();
    for arguments in [&["serve", "--help"][..], &["serve", "--no-such-flag"], &["account", "create", "--help"]] {
        let mut command = program.command(arguments);
        command
            .env("TRAILKEEPER_DATABASE_URL", "postgres://keeper:hunter2@db.example/trail")
            .env("TRAILKEEPER_ADMIN_PASSWORD", "hunter2")
            .env("TRAILKEEPER_MASTER_KEY", "hunter2");
        let output = command.output().unwrap();
        let shown = [output.stdout, output.stderr].concat();
        assert!(!String::from_utf8(shown).unwrap().contains("hunter2"), "{arguments:?}");
    }
}

#[test]
fn a_wrong_value_is_a_usage_error_that_names_valid_values() {
    let program = Program::new();
    for (flag, value, way_out) in [
        ("--listen", "8080", "127.0.0.1:8080"),
        ("--listen", "localhost", "not an address with a port"),
        ("--trusted-proxies", "10.0.0.0/99", "10.0.0.0/8"),
        ("--public-hosts", "https://a.example/", "without scheme and path"),
        ("--bcrypt-cost", "99", "4..=20"),
        ("--session-days", "0", "1..=3650"),
        ("--log", "trailkeeper=loudest", "debug"),
    ] {
        let done = program.run(&["config", flag, value]);
        assert!(done.stderr.contains(way_out), "{}", done.stderr);
        assert_eq!(done.code, Some(2));
    }
}

#[test]
fn migrate_prints_each_applied_migration_once() {
    let program = Program::new();
    let first = program.run(&["migrate"]).good().stdout;
    assert!(first.lines().count() >= 1 && !first.contains("up to date"), "{first}");
    assert_eq!(program.run(&["migrate"]).good().stdout, "the database is up to date\n");
}

#[test]
fn an_unreachable_database_is_named_without_its_password() {
    let program = Program::new();
    // Nothing listens on port 1 of this machine, so it refuses at once.
    let url = "postgres://keeper:hunter2@127.0.0.1:1/trail";
    let message = program.run(&["migrate", "--database-url", url]).failed(1);
    assert!(message.contains("127.0.0.1:1") && !message.contains("hunter2"), "{message}");
    assert_eq!(message.matches("127.0.0.1:1/").count(), 1, "{message}");
    let message = program.run(&["migrate", "--database-url", "mysql://localhost/x"]).failed(1);
    assert!(message.contains("sqlite:") && message.contains("postgres"), "{message}");
    let file = program.file("not-a-database", "x".repeat(4096));
    program.run(&["migrate", "--database-url", &format!("sqlite:{file}")]).failed(1);
}

#[test]
fn a_closed_pipe_is_not_a_failure() {
    let program = Program::new();
    let mut command = program.command(&["openapi"]);
    command.stdout(std::process::Stdio::piped());
    let mut child = command.spawn().unwrap();
    drop(child.stdout.take());
    assert!(child.wait().unwrap().success());
}
