//! Benchmark of ingest and reads during a storm of logins.
//!
//! `make bench`, or `SECONDS=30 cargo bench -p trailkeeper --bench storm`. On SQLite. Prints a Markdown table.
//!
//! Two storms of 64 connections: from many addresses, where delays do not apply and each attempt is hashed (simulated by
//! turning the delays off), and from one address, with the default settings.
#![expect(clippy::unwrap_used, reason = "a benchmark fails by panicking, where the error is")]

mod load;

#[path = "../support/http.rs"]
mod http;
#[path = "../support/server.rs"]
mod server;
#[path = "../support/serving.rs"]
mod serving;
#[path = "../support/store.rs"]
mod store;

use std::time::Duration;

use trailkeeper_auth::AccessSettings;
use trailkeeper_domain::account::Role;
use trailkeeper_testkit::{DatabaseKind, TempDatabase};

use crate::load::{Load, Measured};
use crate::server::Server;
use crate::store::prepared;

fn main() {
    let number = |name: &str, default: u32| std::env::var(name).map_or(default, |text| text.parse().unwrap());
    let load = Load { duration: Duration::from_secs(number("SECONDS", 10).into()), events: number("EVENTS", 600_000) };
    let settings = |login_delays| AccessSettings { login_delays, ..AccessSettings::default() };
    println!(
        "| during ingest and reads | events/s | ratio | read p50, ms | ratio | read p99, ms | ratio | logins/s hashed | refused with 429 |"
    );
    println!("|---|---|---|---|---|---|---|---|---|");
    let calm = measured(&load, settings(true), 0);
    row("no logins", &calm, &calm);
    row("64 connections, from many addresses", &measured(&load, settings(false), 64), &calm);
    row("64 connections, from one address", &measured(&load, settings(true), 64), &calm);
}

/// Measures a load on a new database with the same number of events.
fn measured(load: &Load, settings: AccessSettings, logins: usize) -> Measured {
    let database = TempDatabase::new(DatabaseKind::Sqlite);
    let store = prepared(&database);
    load::fill(store.as_ref());
    let server = Server::start(store, Role::Admin, settings);
    load.run(&server, logins)
}

fn row(what: &str, found: &Measured, calm: &Measured) {
    let ratio = |found: f64, calm: f64| found / calm.max(f64::MIN_POSITIVE);
    println!(
        "| {what} | {:.0} | {:.2} | {:.2} | {:.2} | {:.2} | {:.2} | {:.1} | {} |",
        found.events_per_s,
        ratio(found.events_per_s, calm.events_per_s),
        found.p50_ms,
        ratio(found.p50_ms, calm.p50_ms),
        found.p99_ms,
        ratio(found.p99_ms, calm.p99_ms),
        found.hashed_per_s,
        found.throttled
    );
}
