//! Lines of OpenSSH servers, as their logs have them.
#![expect(clippy::unwrap_used, reason = "a test fails by panicking, helpers included")]

use chrono::Utc;
use trailkeeper_domain::event::{Event, IngestContext};
use trailkeeper_domain::id::{EventId, UserId};
use trailkeeper_domain::time::parse_rfc3339;
use trailkeeper_parsers::auth_log::{AuthLog, Entry, MAX_REPEATS, to_draft};
use uuid::Uuid;

fn log() -> AuthLog<Utc> {
    AuthLog::new(Utc, Some(2026), parse_rfc3339("now", "2026-11-30T00:00:00Z").unwrap())
}

/// What the lines say, one text per line with an event: kind, user, name, source, method and count.
fn read(lines: &[&str]) -> Vec<String> {
    let mut log = log();
    let mut found = Vec::new();
    for line in lines {
        match log.read(&format!("Apr  2 13:28:31 web1 {line}")) {
            Ok(Some(entry)) => found.push(said(&entry)),
            Ok(None) => {}
            Err(reason) => found.push(format!("refused: {reason}")),
        }
    }
    found
}

fn event(entry: &Entry) -> Event {
    let now = parse_rfc3339("now", "2026-11-30T00:00:00Z").unwrap();
    let context = IngestContext { now, source: None, tenant_scope: None };
    to_draft(entry, Uuid::nil()).into_event(&context, EventId(Uuid::nil())).unwrap().event
}

fn said(entry: &Entry) -> String {
    let event = event(entry);
    let user = event.user_id.as_ref().map_or("-", UserId::as_str);
    let name = event.user_name.as_deref().unwrap_or("-");
    let source = event.source.map_or("-".to_owned(), |source| source.to_string());
    format!("{} {user} {name} {source} {} x{}", event.kind, entry.action.method, entry.count)
}

#[test]
fn a_session_of_guessing_is_one_failure_per_attempt() {
    let found = read(&[
        "sshd[4811]: Connection from 203.0.113.7 port 58758 on 192.0.2.1 port 22 rdomain \"\"",
        "sshd[4811]: Invalid user oracle from 203.0.113.7 port 58758",
        "sshd[4811]: Failed none for invalid user oracle from 203.0.113.7 port 58758 ssh2",
        "sshd[4811]: pam_unix(sshd:auth): check pass; user unknown",
        "sshd[4811]: pam_unix(sshd:auth): authentication failure; logname= uid=0 euid=0 tty=ssh ruser= rhost=203.0.113.7",
        "sshd[4811]: Failed password for invalid user oracle from 203.0.113.7 port 58758 ssh2",
        "sshd[4811]: message repeated 2 times: [ Failed password for invalid user oracle from 203.0.113.7 port 58758 ssh2]",
        "sshd[4811]: error: maximum authentication attempts exceeded for invalid user oracle from 203.0.113.7 port 58758 ssh2 [preauth]",
        "sshd[4811]: Disconnecting invalid user oracle 203.0.113.7 port 58758: Too many authentication failures [preauth]",
        "sshd[4811]: PAM 2 more authentication failures; logname= uid=0 euid=0 tty=ssh ruser= rhost=203.0.113.7",
        "CRON[1]: pam_unix(cron:session): session opened for user root(uid=0) by (uid=0)",
        "sudo:     jane : TTY=pts/0 ; PWD=/home/jane ; USER=root ; COMMAND=/usr/bin/id",
    ]);
    assert_eq!(found, ["login_fail - oracle 203.0.113.7 password x1", "login_fail - oracle 203.0.113.7 password x2"]);
}

#[test]
fn logins_and_logouts_of_both_programs_are_read() {
    let found = read(&[
        "sshd[9]: Accepted publickey for jane from 2001:db8::7 port 22022 ssh2: ED25519 SHA256:Ab+/c",
        "sshd[9]: pam_unix(sshd:session): session opened for user jane(uid=1000) by (uid=0)",
        "sshd[12]: Received disconnect from 2001:db8::7 port 22022:11: disconnected by user",
        "sshd[12]: Disconnected from user jane 2001:db8::7 port 22022",
        "sshd[9]: pam_unix(sshd:session): session closed for user jane",
        "sshd-session[77]: Accepted password for bob from 198.51.100.4 port 1 ssh2",
        "sshd-session[78]: Failed password for bob from 198.51.100.4 port 2 ssh2",
        "sshd-session[78]: Connection closed by authenticating user bob 198.51.100.4 port 2 [preauth]",
        "sshd-session[79]: Disconnected from authenticating user bob 198.51.100.4 port 3 [preauth]",
    ]);
    let expected = [
        "login_success jane jane 2001:db8::7 publickey x1",
        "logout jane jane 2001:db8::7  x1",
        "login_success bob bob 198.51.100.4 password x1",
        "login_fail bob bob 198.51.100.4 password x1",
    ];
    assert_eq!(found, expected);
}

#[test]
fn pam_and_the_server_report_one_attempt() {
    let found = read(&[
        "sshd[5]: error: PAM: Authentication failure for jane from 203.0.113.7",
        "sshd[5]: error: PAM: Authentication failure for jane from 203.0.113.7",
        "sshd[5]: error: PAM: Authentication failure for jane from client.example",
        "sshd[5]: Failed keyboard-interactive/pam for jane from 203.0.113.7 port 5 ssh2",
        "sshd[6]: error: PAM: User not known to the underlying authentication module for illegal user x from 203.0.113.7",
        "sshd[6]: Failed keyboard-interactive/pam for invalid user x from 203.0.113.7 port 6 ssh2",
        "sshd[7]: Failed keyboard-interactive/pam for jane from 203.0.113.7 port 7 ssh2",
    ]);
    let pam = "login_fail jane jane 203.0.113.7 pam x1";
    let expected = [
        pam,
        pam,
        "login_fail jane jane - pam x1",
        "login_fail - x 203.0.113.7 pam x1",
        "login_fail jane jane 203.0.113.7 keyboard-interactive/pam x1",
    ];
    assert_eq!(found, expected);
}

#[test]
fn a_client_cannot_choose_the_address() {
    for (line, expected) in [
        (
            "sshd[1]: Failed password for invalid user x from 1.2.3.4 port 5 ssh2 from 203.0.113.7 port 9 ssh2",
            "login_fail - x from 1.2.3.4 port 5 ssh2 203.0.113.7 password x1",
        ),
        (
            "sshd[1]: Failed password for invalid user  from 203.0.113.7 port 9 ssh2",
            "login_fail - - 203.0.113.7 password x1",
        ),
        (
            "sshd[1]: Failed publickey for invalid user x from 203.0.113.7 port 9 ssh2: RSA SHA256:abc",
            "login_fail - x 203.0.113.7 publickey x1",
        ),
    ] {
        assert_eq!(read(&[line]), [expected], "{line}");
    }
    for line in [
        "sshd[1]: Failed publickey for invalid user x from 1.2.3.4 port 5 ssh2: RSA SHA256:a ID k from 2.2.2.2 port 1 ssh2: x",
        "sshd[1]: Failed password for root from 203.0.113.7 port 9",
        "sshd[1]: Failed password for root from 203.0.113.7 port 99999 ssh2",
        "sshd[1]: Accepted password for root",
        "sshd[1]: Disconnected from user jane 203.0.113.7  port 5",
        "sshd[1]: message repeated 2 times: [ Failed password for root from 203.0.113.7 port 9 ssh2",
        "sshd[1]: message repeated 4000000000 times: [ Failed password for root from 203.0.113.7 port 9 ssh2]",
        "sshd[1]: message repeated 0 times: [ Failed password for root from 203.0.113.7 port 9 ssh2]",
    ] {
        assert!(read(&[line]).concat().starts_with("refused: "), "{line}");
    }
}

#[test]
fn repeats_refer_to_the_line_before() {
    let failed = "sshd[1]: Failed password for root from 203.0.113.7 port 9 ssh2";
    let found = read(&[failed, "last message repeated 3 times", "sshd[1]: x", "last message repeated 3 times"]);
    let expected = "login_fail root root 203.0.113.7 password";
    assert_eq!(found, [format!("{expected} x1"), format!("{expected} x3")]);
    let most = format!("sshd[1]: message repeated {MAX_REPEATS} times: [ {}]", &failed[9..]);
    assert_eq!(read(&[&most]), [format!("{expected} x{MAX_REPEATS}")]);
}

#[test]
fn times_of_rsyslog_and_the_machine_are_kept() {
    let line =
        "2026-04-02T13:28:31.123456+02:00 web-1 sshd-session[7]: Accepted password for jane from 192.0.2.9 port 5 ssh2";
    let entry = log().read(line).unwrap().unwrap();
    let event = event(&entry);
    assert_eq!(trailkeeper_domain::time::rfc3339(event.occurred_at), "2026-04-02T11:28:31.123456Z");
    assert_eq!(event.target.unwrap().id.as_deref(), Some("web-1"));
    let metadata: serde_json::Value = event.metadata.unwrap().as_str().parse().unwrap();
    assert_eq!(metadata, serde_json::json!({"provider": "sshd", "method": "password", "port": 5, "pid": 7}));
}
