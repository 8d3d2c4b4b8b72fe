//! `account`, `token`, `signing-key` and `session`.

use serde_json::Value;

use crate::support::Program;

const TENANT: &str = "69e732d6-8ecc-45c4-a2eb-8438f7ffe775";

#[test]
fn a_token_is_printed_once_and_revoked_by_its_id() {
    let program = Program::new();
    let made = program.json(&["token", "create", "--role", "ingest", "--tenant", TENANT, "--name", "app", "--json"]);
    let made = made.as_object().unwrap();
    assert_eq!(made.keys().collect::<Vec<_>>(), ["id", "token"]);
    let (id, token) = (made["id"].as_str().unwrap(), made["token"].as_str().unwrap());
    assert!(token.starts_with("tk_"), "{token}");

    let listed = program.json(&["token", "list", "--json"]);
    assert_eq!((&listed[0]["id"], &listed[0]["role"]), (&made["id"], &"ingest".into()));
    assert_eq!((&listed[0]["tenant_id"], &listed[0]["revoked_at"]), (&TENANT.into(), &Value::Null));
    let table = program.run(&["token", "list"]).good().stdout;
    assert!(table.starts_with("ID ") && table.contains("active") && !table.contains(token), "{table}");

    let changed = program.json(&["token", "change", id, "--name", "app 2", "--expires-in-days", "7", "--json"]);
    assert_eq!((&changed["id"], &changed["name"], &changed["role"]), (&made["id"], &"app 2".into(), &"ingest".into()));
    assert!(changed["expires_at"].is_string());
    let table = program.run(&["token", "change", id, "--never-expires"]).good().stdout;
    assert!(table.contains("app 2") && table.contains("active"), "{table}");
    program.run(&["token", "change", id]).failed(2);
    program.run(&["token", "change", id, "--never-expires", "--expires-in-days", "1"]).failed(2);

    program.run(&["token", "revoke", id]).good();
    assert!(program.run(&["token", "list"]).good().stdout.contains("revoked 20"));
    let message = program.run(&["token", "change", id, "--name", "b"]).failed(1);
    assert!(message.contains("is revoked"), "{message}");
    // Revoking twice succeeds; revoking an unknown token fails.
    program.run(&["token", "revoke", id]).good();
    assert!(program.run(&["token", "revoke", TENANT]).failed(1).contains(TENANT));
    program.run(&["token", "revoke", "abc"]).failed(2);
}

#[test]
fn a_token_may_expire() {
    let program = Program::new();
    program.run(&["token", "create", "--role", "admin", "--name", "a", "--expires-in-days", "1"]).good();
    let listed = program.json(&["token", "list", "--json"]);
    assert!(listed[0]["expires_at"].as_str() > listed[0]["created_at"].as_str());
    program.run(&["token", "create", "--role", "admin", "--name", "a", "--expires-in-days", "0"]).failed(2);
    let message = program.run(&["token", "create", "--role", "owner", "--name", "a"]).failed(2);
    assert!(message.contains("send admin, analyst, auditor or ingest"), "{message}");
}

#[test]
fn a_signing_key_has_three_parts_and_creates_the_master_key() {
    let program = Program::new();
    let made = program.json(&["signing-key", "create", "--name", "sdk", "--json"]);
    let keys: Vec<_> = made.as_object().unwrap().keys().cloned().collect();
    assert_eq!(keys, ["api_key", "saas_id", "secret_key"]);
    let file = program.data_dir().join("master.key");
    let key = std::fs::read_to_string(&file).unwrap();
    assert_eq!((key.trim().len(), key.trim().bytes().all(|b| b.is_ascii_hexdigit())), (64, true));
    #[cfg(unix)]
    assert_eq!((crate::support::mode(&file), crate::support::mode(&program.data_dir())), (0o600, 0o700));

    let table = program.run(&["signing-key", "list"]).good().stdout;
    assert!(table.contains(made["api_key"].as_str().unwrap()), "{table}");
    assert!(!table.contains(made["secret_key"].as_str().unwrap()), "{table}");
    let id = table.lines().nth(1).unwrap().split(' ').next().unwrap();
    program.run(&["signing-key", "rename", id, "--name", "sdk 2"]).good();
    assert_eq!(program.json(&["signing-key", "list", "--json"])[0]["name"], "sdk 2");
    program.run(&["signing-key", "revoke", id]).good();
    assert!(program.run(&["signing-key", "rename", id, "--name", "sdk 3"]).failed(1).contains("is revoked"));
    assert!(program.json(&["signing-key", "list", "--json"])[0]["revoked_at"].is_string());

    // A new key must not replace the lost one: it cannot open the secrets in the database.
    std::fs::remove_file(&file).unwrap();
    let message = program.run(&["signing-key", "create", "--name", "sdk"]).failed(1);
    assert!(message.contains("another master key sealed") && !file.exists(), "{message}");
    program.run(&["signing-key", "list"]).good();
    assert!(!file.exists());
}

#[test]
#[cfg(unix)]
fn a_key_file_that_others_can_read_is_closed_and_a_broken_one_is_rejected() {
    use std::os::unix::fs::PermissionsExt as _;

    let program = Program::new();
    program.run(&["signing-key", "create", "--name", "a"]).good();
    let file = program.data_dir().join("master.key");
    for command in [&["signing-key", "create", "--name", "b"][..], &["account", "list"]] {
        std::fs::set_permissions(&file, std::fs::Permissions::from_mode(0o644)).unwrap();
        let warning = program.run(command).good().stderr;
        let text = format!("{} had mode 0644, so other users", file.display());
        assert!(warning.contains(&text) && warning.contains("master-key rotate"), "{warning}");
        assert_eq!(crate::support::mode(&file), 0o600);
    }
    std::fs::set_permissions(&file, std::fs::Permissions::from_mode(0o644)).unwrap();
    program.run(&["account", "list", "--allow-group-read"]).good();
    assert_eq!(crate::support::mode(&file), 0o640);
    assert_eq!(program.run(&["account", "list", "--allow-group-read"]).good().stderr, "");
    std::fs::set_permissions(&file, std::fs::Permissions::from_mode(0o400)).unwrap();
    program.run(&["signing-key", "create", "--name", "b"]).good();
    std::fs::set_permissions(&file, std::fs::Permissions::from_mode(0o600)).unwrap();
    let secret = std::fs::read_to_string(&file).unwrap();
    std::fs::write(&file, "short").unwrap();
    let message = program.run(&["signing-key", "create", "--name", "b"]).failed(1);
    assert!(message.contains("master.key") && message.contains("64"), "{message}");

    // The variable wins over the file.
    let mut command = program.command(&["signing-key", "create", "--name", "c"]);
    let output = command.env("TRAILKEEPER_MASTER_KEY", secret.trim()).output().unwrap();
    assert!(output.status.success());
}

#[test]
fn an_account_is_created_given_a_password_disabled_and_enabled() {
    let program = Program::new();
    let made = program.json(&["account", "create", "jane@example.com", "--role", "analyst", "--json"]);
    assert_eq!((&made["email"], &made["role"]), (&"jane@example.com".into(), &"analyst".into()));
    assert_eq!(made["password"].as_str().unwrap().len(), 20);

    let message = program.run(&["account", "create", "JANE@example.com", "--role", "admin"]).failed(1);
    assert!(message.starts_with("error: email: "), "{message}");
    let message = program.run(&["account", "create", "nonsense", "--role", "admin"]).failed(1);
    assert!(message.contains("is not an e-mail address"), "{message}");

    let done = program.run_with_input(
        &["account", "create", "omar@example.com", "--role", "auditor", "--password-stdin", "--tenant", TENANT],
        b"a long enough passphrase\n",
    );
    assert!(!done.good().stdout.contains("passphrase"));
    let short =
        program.run_with_input(&["account", "set-password", "omar@example.com", "--password-stdin"], b"short\n");
    assert!(short.failed(1).starts_with("error: password: "));
    let new = program.run(&["account", "set-password", "omar@example.com"]).good().stdout;
    assert_eq!(new.trim_start_matches("password  ").trim().len(), 20, "{new}");

    program.run(&["account", "disable", "omar@example.com"]).good();
    let state = || {
        let listed = program.json(&["account", "list", "--json"]);
        let accounts = listed.as_array().unwrap().clone();
        assert_eq!(accounts.len(), 2);
        accounts.into_iter().find(|account| account["email"] == "omar@example.com").unwrap()
    };
    assert!(state()["disabled_at"].is_string());
    assert_eq!((&state()["tenant_id"], state().get("password")), (&TENANT.into(), None));
    program.run(&["account", "enable", "omar@example.com"]).good();
    assert!(state()["disabled_at"].is_null());
    let message = program.run(&["account", "disable", "nobody@example.com"]).failed(1);
    assert!(message.contains("nobody@example.com"), "{message}");
    // Nothing was sealed, so no key was created.
    assert!(!program.data_dir().join("master.key").exists());
}

#[test]
fn an_account_is_changed_and_deleted_but_never_the_last_administrator() {
    let program = Program::new();
    program.run(&["account", "create", "jane@example.com", "--role", "admin"]).good();
    for removal in [
        &["account", "delete", "jane@example.com"][..],
        &["account", "disable", "jane@example.com"],
        &["account", "change", "jane@example.com", "--role", "analyst"],
        &["account", "change", "jane@example.com", "--tenant", TENANT],
    ] {
        let message = program.run(removal).failed(1);
        assert!(message.contains("last active administrator"), "{message}");
    }
    program.run(&["account", "create", "omar@example.com", "--role", "admin"]).good();
    let changed = program.json(&[
        "account",
        "change",
        "JANE@example.com",
        "--email",
        "doe@example.com",
        "--display-name",
        "Jane Doe",
        "--role",
        "auditor",
        "--tenant",
        TENANT,
        "--json",
    ]);
    let fields = (&changed["email"], &changed["display_name"], &changed["role"], &changed["tenant_id"]);
    assert_eq!(fields, (&"doe@example.com".into(), &"Jane Doe".into(), &"auditor".into(), &TENANT.into()));
    assert_eq!(changed.get("password"), None);
    let shown = program.run(&["account", "change", "doe@example.com", "--all-tenants"]).good().stdout;
    assert!(shown.contains("email     doe@example.com"), "{shown}");
    assert!(program.json(&["account", "list", "--json"])[0]["tenant_id"].is_null());

    let message = program.run(&["account", "change", "doe@example.com", "--email", "OMAR@example.com"]).failed(1);
    assert!(message.starts_with("error: email: "), "{message}");
    program.run(&["account", "change", "doe@example.com"]).failed(2);
    program.run(&["account", "change", "doe@example.com", "--tenant", TENANT, "--all-tenants"]).failed(2);

    program.run(&["account", "delete", "doe@example.com"]).good();
    assert_eq!(program.json(&["account", "list", "--json"]).as_array().unwrap().len(), 1);
    assert!(program.run(&["account", "delete", "doe@example.com"]).failed(1).contains("doe@example.com"));
}

#[test]
fn a_common_password_is_rejected_and_not_printed() {
    let program = Program::new();
    for guessed in ["passwordpassword", "123456789012", "jane@example.com"] {
        let done = program.run_with_input(
            &["account", "create", "jane@example.com", "--role", "admin", "--password-stdin"],
            format!("{guessed}\n").as_bytes(),
        );
        let message = done.failed(1);
        assert!(message.starts_with("error: password: ") && !message.contains(guessed), "{message}");
    }
}

#[test]
fn sessions_are_listed_and_ended() {
    let program = Program::new();
    program.run(&["account", "create", "jane@example.com", "--role", "admin"]).good();
    assert_eq!(program.json(&["session", "list", "--json"]), serde_json::json!([]));
    let table = program.run(&["session", "list", "--account", "jane@example.com", "--past"]).good().stdout;
    assert!(table.starts_with("ID "), "{table}");
    let done = program.run(&["session", "end", "--account", "jane@example.com"]).good();
    assert_eq!(done.stdout, "ended sessions of jane@example.com: 0\n");
    assert!(program.run(&["session", "end", TENANT]).failed(1).contains("there is no session"));
    assert!(program.run(&["session", "list", "--account", "nobody@example.com"]).failed(1).contains("nobody@"));
    program.run(&["session", "end"]).failed(2);
    program.run(&["session", "end", TENANT, "--account", "jane@example.com"]).failed(2);
}
