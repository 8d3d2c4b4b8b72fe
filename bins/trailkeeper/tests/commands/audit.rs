//! Commands leave audit events in the system tenant.

use std::io::{BufRead as _, BufReader, Write as _};
use std::process::Stdio;
use std::sync::Arc;
use std::thread;
use std::time::{Duration, Instant};

use serde_json::{Value, json};
use trailkeeper_domain::event::{Event, EventFilter, EventKind, Values};
use trailkeeper_domain::id::TenantId;
use trailkeeper_domain::ports::Store;
use trailkeeper_storage::{DatabaseUrl, StoreOptions};
use trailkeeper_testkit::{DatabaseKind, TempDatabase, all_events, metadata_of, visibility};

use crate::serve::Server;
use crate::support::Program;

/// The audit events of this type, oldest first.
fn audited(program: &Program, kind: &str) -> Vec<Event> {
    audited_in(&*store(program), kind)
}

fn store(program: &Program) -> Arc<dyn Store> {
    store_at(&format!("sqlite:{}", program.data_dir().join("trailkeeper.db").display()))
}

/// The store of the database at this URL.
fn store_at(url: &str) -> Arc<dyn Store> {
    trailkeeper_storage::open(&DatabaseUrl::parse(url).unwrap(), &StoreOptions::default()).unwrap()
}

/// The audit events of this type in a store, oldest first.
fn audited_in(store: &dyn Store, kind: &str) -> Vec<Event> {
    let filter = EventFilter {
        visibility: visibility::of_tenant(TenantId::SYSTEM),
        kind: Values::only(EventKind::known(kind)),
        ..all_events()
    };
    let found = store.reading(|tx| tx.events(&filter, None, 100)).unwrap();
    found.into_iter().rev().map(|stored| stored.event).collect()
}

fn metadata(event: &Event) -> Value {
    metadata_of(event).unwrap()
}

#[test]
fn imports_demo_data_and_rebuilds_are_audited_with_counts() {
    let program = Program::new();
    program.run(&["demo"]).good();
    let file = program.file("events.ndjson", "{\"type\":\"x\"}\n{\"type\":\"x\"}\nno event, but a secret\n");
    program.run(&["import", "events", &file]).good();
    let users = program.file("users.ndjson", "{\"user_id\":\"u\"}\n");
    program.run(&["import", "users", &users]).good();
    let hopeless = program.file("hopeless", "nothing\n");
    program.run(&["import", "tenants", &hopeless]).failed(1);
    program.run(&["rebuild"]).good();

    let imports = audited(&program, "import");
    let [demo, begun, events, _, people, hopeful, failed] = imports.as_slice() else { panic!("{imports:?}") };
    assert_eq!(metadata(demo)["what"], "demo");
    assert!(metadata(demo)["stored"].as_u64().unwrap() > 1_000);
    assert_start(begun, "events", &file);
    let counts = json!({"stored": 2, "known": 0, "refused": 1});
    assert_end(events, begun, "events", &file, &counts);
    assert_eq!(events.outcome.as_str(), "success");
    assert_eq!(metadata(people)["created"], 1);
    assert_end(failed, hopeful, "tenants", &hopeless, &json!({"created": 0, "replaced": 0, "refused": 1}));
    assert_eq!((metadata(failed)["refused"].clone(), failed.outcome.as_str()), (json!(1), "failure"));
    assert_eq!(demo.user_name.as_deref(), Some("command line"));
    assert!(!format!("{imports:?}").contains("secret"));

    let rebuilds = audited(&program, "sheets_rebuild");
    assert_eq!(rebuilds.len(), 1);
    assert!(metadata(&rebuilds[0])["events"].as_u64().unwrap() > 1_000);
}

#[track_caller]
fn assert_start(event: &Event, what: &str, file: &str) {
    let mut expected = json!({"what": what, "file": file, "phase": "start"});
    if what == "events" {
        expected["log"] = json!("default");
    }
    assert_eq!(metadata(event), expected);
    assert_eq!(event.outcome.as_str(), "unknown");
    assert_eq!(event.user_name.as_deref(), Some("command line"));
}

#[track_caller]
fn assert_end(event: &Event, start: &Event, what: &str, file: &str, counts: &Value) {
    let mut expected = counts.clone();
    let about = [("what", what), ("file", file), ("phase", "end"), ("start", &start.id.to_string())];
    for (name, value) in about {
        expected[name] = json!(value);
    }
    if what == "events" {
        expected["log"] = json!("default");
    }
    assert_eq!(metadata(event), expected);
}

/// Gives an import `input` without closing its standard input, and kills it as soon as `is_stored`.
fn killed(program: &Program, arguments: &[&str], input: &str, is_stored: impl Fn() -> bool) {
    let mut child =
        program.command(arguments).stdin(Stdio::piped()).stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap();
    let mut stdin = child.stdin.take().unwrap();
    stdin.write_all(input.as_bytes()).unwrap();
    stdin.flush().unwrap();
    let begun = Instant::now();
    while !is_stored() {
        assert!(begun.elapsed() < Duration::from_mins(1), "the import has not stored its input");
        assert_eq!(child.try_wait().unwrap(), None, "the import waits for more input");
        thread::yield_now();
    }
    child.kill().unwrap();
    assert!(!child.wait().unwrap().success());
    drop(stdin);
}

/// Number of events outside the system tenant.
fn rows(store: &dyn Store) -> u64 {
    let customers = EventFilter { visibility: visibility::CUSTOMERS, ..all_events() };
    store.reading(|tx| tx.count_events(&customers)).unwrap()
}

#[test]
fn a_killed_import_has_an_audit_event_of_its_start() {
    let program = Program::new();
    // Creates the database.
    program.run(&["account", "list"]).good();
    let store = store(&program);
    let imports = || audited_in(&*store, "import");
    let line = |n: usize| format!("{{\"id\":\"11111111-1111-4111-8111-{n:012}\",\"type\":\"x\"}}\n");
    let lines: String = (0..20_500).map(line).collect();

    // Killed before its first transaction, and after it.
    killed(&program, &["import", "events", "-"], &line(0), || !imports().is_empty());
    let begun = imports();
    assert_eq!((begun.len(), rows(&*store)), (1, 0));
    assert_start(&begun[0], "events", "-");
    killed(&program, &["import", "events", "-"], &lines, || rows(&*store) > 0);
    let begun = imports();
    assert_eq!((begun.len(), rows(&*store)), (2, 20_000), "a transaction has 20,000 lines");
    assert_start(&begun[1], "events", "-");

    // Each user is a transaction.
    let has_user = || store.reading(|tx| tx.has_directory()).unwrap();
    killed(&program, &["import", "users", "-"], "{\"user_id\":\"u1\"}\n", has_user);
    assert_eq!(imports().len(), 3);
    assert_start(&imports()[2], "users", "-");

    // Running the import again skips the stored lines, and adds its own start and end.
    program.run_with_input(&["import", "events", "-"], lines.as_bytes()).good();
    let all = imports();
    let [.., start, end] = all.as_slice() else { panic!("{all:?}") };
    assert_eq!(all.len(), 5);
    assert_start(start, "events", "-");
    assert_end(end, start, "events", "-", &json!({"stored": 500, "known": 20_000, "refused": 0}));
}

#[test]
fn the_start_of_a_server_is_audited_with_its_settings_and_without_secrets() {
    let program = Program::new();
    let master = "ab".repeat(32);
    let mut child = program
        .command(&["serve", "--listen", "127.0.0.1:0", "--workers", "1", "--admin-password", "correct horse battery"])
        .env("TRAILKEEPER_MASTER_KEY", &master)
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .spawn()
        .unwrap();
    let mut lines = BufReader::new(child.stdout.take().unwrap()).lines();
    let listening = lines.any(|line| line.unwrap().contains("listens on"));
    child.kill().unwrap();
    child.wait().unwrap();
    assert!(listening);

    let starts = audited(&program, "server_start");
    assert_eq!(starts.len(), 1);
    let start = metadata(&starts[0]);
    assert_eq!(start["version"], env!("CARGO_PKG_VERSION"));
    let settings = &start["settings"];
    assert_eq!((&settings["listen"], &settings["workers"]), (&json!("127.0.0.1:0"), &json!("1")));
    assert_eq!(
        (&settings["admin-password"], &settings["master-key"]),
        (&json!("(set, hidden)"), &json!("(set, hidden)"))
    );
    assert!(settings.get("merge-every").is_none(), "only given settings are recorded: {settings}");
    assert!(!start.to_string().contains("battery") && !start.to_string().contains(&master), "{start}");
}

#[test]
fn a_server_that_cannot_bind_has_no_start_event() {
    for kind in DatabaseKind::ALL {
        let (program, database) = (Program::new(), TempDatabase::new(kind));
        let taken = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
        let address = taken.local_addr().unwrap().to_string();
        let refused = program.run(&["serve", "--listen", &address, "--database-url", database.url()]).failed(1);
        assert!(refused.contains(&address), "{refused}");
        // The administrator was created before binding failed, and that is audited.
        let audited = |kind| audited_in(&*store_at(database.url()), kind);
        assert_eq!((audited("account_create").len(), audited("server_start")), (1, vec![]));
        drop(Server::start(&program, &["--database-url", database.url()]));
        assert_eq!(audited("server_start").len(), 1);
    }
}
