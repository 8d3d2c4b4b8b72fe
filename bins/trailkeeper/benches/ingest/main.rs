//! Benchmark of ingest, as ratios to named baselines of the same run.
//!
//! `make bench`, or `EVENTS=1000000 make bench`. Measures SQLite, and PostgreSQL if `TRAILKEEPER_TEST_POSTGRES_URL` names
//! one; `make bench` sets it. `PART` (`sqlite`, `postgres` or `singles`) runs one part. Prints a Markdown table.
#![expect(clippy::unwrap_used, clippy::indexing_slicing, reason = "a benchmark fails by panicking, where the error is")]

mod baselines;
mod client;
mod parsing;
mod rows;

#[path = "../support/http.rs"]
mod http;
#[path = "../support/server.rs"]
mod server;
#[path = "../support/serving.rs"]
mod serving;
#[path = "../support/store.rs"]
mod store;

use std::time::Instant;

use trailkeeper_auth::AccessSettings;
use trailkeeper_domain::account::Role;
use trailkeeper_domain::event::Event;
use trailkeeper_testkit::{DatabaseKind, TempDatabase, Workload};

use crate::rows::rows;
use crate::server::Server;
use crate::store::{BATCH, prepared};

/// Connections that send batches: enough that a batch always waits.
const BATCH_CONNECTIONS: usize = 4;

/// Connections that send single events.
const CONNECTIONS: usize = 64;

/// Limits of the events sent: more events change nothing, and single events are slow.
const MOST_IN_BATCHES: usize = 1_000_000;
const MOST_SINGLE: usize = 100_000;

fn main() {
    let count: u32 = std::env::var("EVENTS").map_or(200_000, |text| text.parse().unwrap());
    let events: Vec<Event> = Workload::new(1, count).take((count as usize).min(MOST_IN_BATCHES)).collect();
    let singles = &events[..(events.len() / 2).min(MOST_SINGLE)];
    println!("{} events in batches; {} as single requests\n", events.len(), singles.len());
    println!("| what | events/s | baseline | events/s | ratio | target |\n|---|---|---|---|---|---|");
    // For profiling one part.
    let part = std::env::var("PART").unwrap_or_default();
    let asked = |name: &str| part.is_empty() || part == name;
    if asked("sqlite") {
        batches_on_sqlite(&events);
    }
    if asked("postgres") && std::env::var_os("TRAILKEEPER_TEST_POSTGRES_URL").is_some() {
        batches_on_postgres(&events);
    }
    if asked("singles") {
        single_events(singles);
    }
}

fn batches_on_sqlite(events: &[Event]) {
    let plain = TempDatabase::new(DatabaseKind::Sqlite);
    drop(prepared(&plain));
    let rows = rows(events);
    let baseline = rate(events, || baselines::multi_row_inserts(&plain.path(), &rows, BATCH));
    let database = TempDatabase::new(DatabaseKind::Sqlite);
    let ours = batches(&database, events);
    let what = "HTTP, batches of 1,000, SQLite FULL";
    row(what, ours, "multi-row inserts of the same rows, in-process", baseline, "0.8");
}

fn batches_on_postgres(events: &[Event]) {
    let plain = TempDatabase::new(DatabaseKind::Postgres);
    drop(prepared(&plain));
    let rows = rows(events);
    let baseline = rate(events, || baselines::unnest_inserts(plain.url(), &rows, BATCH));
    let database = TempDatabase::new(DatabaseKind::Postgres);
    let ours = batches(&database, events);
    let what = "HTTP, batches of 1,000, PostgreSQL";
    row(what, ours, "INSERT … SELECT FROM UNNEST of the same rows, in-process", baseline, "0.8");
}

fn batches(database: &TempDatabase, events: &[Event]) -> f64 {
    let server = Server::start(prepared(database), Role::Ingest, AccessSettings::default());
    let requests = client::batches(&server.token, events, BATCH);
    rate(events, || client::send(server.address, &requests, BATCH_CONNECTIONS))
}

fn single_events(events: &[Event]) {
    let plain = TempDatabase::new(DatabaseKind::Sqlite);
    let store = prepared(&plain);
    // A tenth of the events is enough, because each waits for the disk.
    let few = &events[..events.len() / 10];
    let durable = rate(few, || {
        for event in few {
            store.writing(|tx| tx.insert_events(std::slice::from_ref(event))).unwrap();
        }
    });
    let parsing = parsing::start();
    let requests = client::singles("none", events);
    let parsed = rate(events, || client::send(parsing, &requests, CONNECTIONS));
    let database = TempDatabase::new(DatabaseKind::Sqlite);
    let server = Server::start(prepared(&database), Role::Ingest, AccessSettings::default());
    let requests = client::singles(&server.token, events);
    let ours = rate(events, || client::send(server.address, &requests, CONNECTIONS));
    let what = "HTTP, single events, 64 connections, SQLite FULL";
    row(what, ours, "one durable insert per event, in-process", durable, "10");
    row(what, ours, "a server that only reads the same bodies", parsed, "0.4");
}

/// Events per second.
fn rate(events: &[Event], work: impl FnOnce()) -> f64 {
    let started = Instant::now();
    work();
    f64::from(u32::try_from(events.len()).unwrap()) / started.elapsed().as_secs_f64()
}

fn row(what: &str, ours: f64, baseline: &str, theirs: f64, target: &str) {
    println!("| {what} | {ours:.0} | {baseline} | {theirs:.0} | {:.2} | {target} |", ours / theirs);
}
