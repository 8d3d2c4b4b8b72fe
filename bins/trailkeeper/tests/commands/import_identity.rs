//! `import keycloak` and `import authlog`. `scripts/acceptance/identity_logs.py` imports all formats.

use crate::support::Program;

const FAILED: &str = "Failed password for root from 203.0.113.7 port 9 ssh2";

/// The counts that a summary prints: stored, known and refused.
fn counts(stdout: &str) -> [u64; 3] {
    ["stored", "known", "refused"].map(|label| {
        let line = stdout.lines().find(|line| line.starts_with(label)).unwrap_or_else(|| panic!("{stdout}"));
        line.split_whitespace().last().unwrap().parse().unwrap()
    })
}

fn authlog(program: &Program, files: &[&str]) -> [u64; 3] {
    counts(&program.run(&[&["import", "authlog", "--year", "2026"], files].concat()).good().stdout)
}

#[test]
fn a_log_that_grows_adds_its_new_lines_only() {
    let program = Program::new();
    let line = |second: u8, message: &str| format!("Apr  2 13:28:{second:02} web1 sshd[7]: {message}\n");
    let repeated = format!("message repeated 2 times: [ {FAILED}]");
    let old =
        line(1, FAILED) + &line(1, FAILED) + &line(2, &repeated) + &line(3, "Invalid user x from 203.0.113.7 port 9");
    let file = program.file("auth.log", &old);
    assert_eq!(authlog(&program, &[&file]), [4, 0, 0]);
    assert_eq!(authlog(&program, &[&file]), [0, 4, 0]);
    // A third equal line of the same second, in the file that follows after a rotation.
    let rotated = program.file("auth.log.1", &old);
    let new = program.file("auth.log", line(1, FAILED) + &line(4, "Failed password for root"));
    assert_eq!(authlog(&program, &[&rotated, &new]), [1, 4, 1]);
    // By itself, that line looks like the first of them.
    assert_eq!(authlog(&program, &[&new]), [0, 1, 1]);
    let message = program.run(&["import", "authlog", "--timezone", "Mars", &new]).failed(2);
    assert!(message.contains("'Mars' is not a time zone"), "{message}");
}

#[test]
fn records_before_a_defect_are_stored() {
    let program = Program::new();
    let event =
        |id: u8| format!(r#"{{"id":"7a1f6a3e-59f5-4a61-b1d5-6f0a5a3f6c{id:02}","time":1761990000123,"type":"LOGIN"}}"#);
    let cut = program.file("cut.json", format!("[{},{},{{\"id\":", event(1), event(2)));
    let done = program.run(&["import", "keycloak", &cut]);
    assert_eq!(counts(&done.stdout), [2, 0, 1]);
    let message = done.failed(1);
    assert!(message.contains("cannot be read after record 3"), "{message}");
    let whole = program.file("whole.json", format!("{{\"type\":5}}\n{}\n{}\n", event(2), event(3)));
    let summary = program.run(&["import", "keycloak", &whole]).good().stdout;
    assert_eq!(counts(&summary), [1, 1, 1]);
    assert!(summary.contains("  record 1: time: is missing"), "{summary}");
    let other = program.file("other.json", "[{\"a\":1}]");
    let message = program.run(&["import", "keycloak", &other]).failed(1);
    assert!(message.contains("no line could be imported"), "{message}");
}
