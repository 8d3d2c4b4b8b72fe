//! What the command line does is told by events of the system tenant.

use std::io::{BufRead as _, BufReader};
use std::process::Stdio;
use std::sync::Arc;

use serde_json::{Value, json};
use trailkeeper_analytics::engine::Summary;
use trailkeeper_domain::event::{Event, EventFilter, EventKind};
use trailkeeper_domain::id::TenantId;
use trailkeeper_storage::{DatabaseUrl, StoreOptions};
use trailkeeper_testkit::{DatabaseKind, TempDatabase};

use crate::serve::Server;
use crate::support::Program;

/// The events of this type in the trail, oldest first.
fn told(program: &Program, kind: &str) -> Vec<Event> {
    told_in(&format!("sqlite:{}", program.data_dir().join("trailkeeper.db").display()), kind)
}

/// The same of the database at this URL.
fn told_in(url: &str, kind: &str) -> Vec<Event> {
    let url = DatabaseUrl::parse(url).unwrap();
    let store = trailkeeper_storage::open(&url, &StoreOptions::default(), Arc::new(Summary)).unwrap();
    let filter = EventFilter {
        tenant_id: Some(TenantId::SYSTEM),
        kinds: vec![EventKind::known(kind)],
        ..EventFilter::default()
    };
    let found = store.reading(|tx| tx.events(&filter, None, 100)).unwrap();
    found.into_iter().rev().map(|stored| stored.event).collect()
}

fn metadata(event: &Event) -> Value {
    Value::from(event.metadata.clone().unwrap())
}

#[test]
fn imports_demo_data_and_rebuilds_are_told_with_counts() {
    let program = Program::new();
    program.run(&["demo"]).good();
    let file = program.file("events.ndjson", "{\"type\":\"x\"}\n{\"type\":\"x\"}\nno event, but a secret\n");
    program.run(&["import", "events", &file]).good();
    let users = program.file("users.ndjson", "{\"user_id\":\"u\"}\n");
    program.run(&["import", "users", &users]).good();
    let hopeless = program.file("hopeless", "nothing\n");
    program.run(&["import", "tenants", &hopeless]).failed(1);
    program.run(&["rebuild"]).good();

    let imports = told(&program, "import");
    let [demo, events, people, failed] = imports.as_slice() else { panic!("{imports:?}") };
    assert_eq!(metadata(demo)["what"], "demo");
    assert!(metadata(demo)["stored"].as_u64().unwrap() > 1_000);
    let expected = json!({"what": "events", "file": file, "stored": 2, "known": 0, "refused": 1});
    assert_eq!(metadata(events), expected);
    assert_eq!(metadata(people)["created"], 1);
    assert_eq!((metadata(failed)["refused"].clone(), failed.outcome.as_str()), (json!(1), "failure"));
    assert_eq!(demo.user_name.as_deref(), Some("command line"));
    assert!(!format!("{imports:?}").contains("secret"));

    let rebuilds = told(&program, "sheets_rebuild");
    assert_eq!(rebuilds.len(), 1);
    assert!(metadata(&rebuilds[0])["events"].as_u64().unwrap() > 1_000);
}

#[test]
fn a_start_is_told_with_its_settings_and_without_its_secrets() {
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

    let starts = told(&program, "server_start");
    assert_eq!(starts.len(), 1);
    let told = metadata(&starts[0]);
    assert_eq!(told["version"], env!("CARGO_PKG_VERSION"));
    let settings = &told["settings"];
    assert_eq!((&settings["listen"], &settings["workers"]), (&json!("127.0.0.1:0"), &json!("1")));
    assert_eq!(
        (&settings["admin-password"], &settings["master-key"]),
        (&json!("(set, hidden)"), &json!("(set, hidden)"))
    );
    assert!(settings.get("merge-every").is_none(), "what was not given has its default: {settings}");
    assert!(!told.to_string().contains("battery") && !told.to_string().contains(&master), "{told}");
}

#[test]
fn a_server_that_gets_no_port_did_not_start() {
    for kind in DatabaseKind::ALL {
        let (program, database) = (Program::new(), TempDatabase::new(kind));
        let taken = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
        let address = taken.local_addr().unwrap().to_string();
        let refused = program.run(&["serve", "--listen", &address, "--database-url", database.url()]).failed(1);
        assert!(refused.contains(&address), "{refused}");
        // It came as far as to make the administrator, which is told.
        let told = |kind| told_in(database.url(), kind);
        assert_eq!((told("account_create").len(), told("server_start")), (1, vec![]));
        drop(Server::start(&program, &["--database-url", database.url()]));
        assert_eq!(told("server_start").len(), 1);
    }
}
