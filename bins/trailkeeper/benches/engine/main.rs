//! Benchmark of answers, disk space, memory and merging, as ratios to named baselines of the same run over the same file.
//!
//! `make bench`, or `EVENTS=5000000 make bench`. `GROWTH=1` also asks the questions at a fifth of the events and at four
//! times as many. Prints Markdown tables.
#![expect(clippy::unwrap_used, clippy::indexing_slicing, reason = "a benchmark fails by panicking, where the error is")]

mod dataset;
mod disk;
mod folding;
mod process;
mod questions;
mod sql;
mod watch;

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
use trailkeeper_http::HttpSettings;

use crate::dataset::Dataset;
use crate::http::{Connection, request};
use crate::questions::{Question, Target};
use crate::server::Server;
use crate::sql::Sql;

fn main() {
    let count: u32 = std::env::var("EVENTS").map_or(200_000, |text| text.parse().unwrap());
    let growth = std::env::var_os("GROWTH").is_some();
    let mut sizes = Vec::new();
    if growth {
        sizes.push((count / 5, answers_only(count / 5)));
    }
    sizes.push((count, everything(count)));
    if growth {
        sizes.push((count * 4, answers_only(count * 4)));
        show_growth(&sizes);
    }
}

/// The time of each question, in the order of the questions, with no fold cached.
type Times = Vec<Duration>;

fn answers_only(count: u32) -> Times {
    let data = Dataset::build(count);
    let server = uncached(&data);
    questions::all().iter().map(|question| answered(&server, question).0).collect()
}

/// A server without a fold cache, so that every request costs as much as the first one.
fn uncached(data: &Dataset) -> Server {
    let http = HttpSettings { fold_cache_bytes: 0, ..HttpSettings::default() };
    Server::start_as(data.store.clone(), Role::Admin, AccessSettings::default(), http)
}

fn everything(count: u32) -> Times {
    let mut data = Dataset::build(count);
    println!("## {count} events\n");
    let times = show_answers(&data);
    disk::show(&data);
    show_merging(&data);
    process::show(&mut data);
    times
}

/// The median time of a question, and its answer.
fn answered(server: &Server, question: &Question) -> (Duration, serde_json::Value) {
    let request = request("GET", &question.path, &server.token, "");
    let mut connection = Connection::open(server.address);
    let answer = serde_json::from_str(&connection.send(&request)).unwrap();
    (watch::median(|| connection.send(&request).len()), answer)
}

/// The time of a request without a question: the cost of HTTP.
fn healthz(server: &Server) -> Duration {
    let request = request("GET", "/healthz", &server.token, "");
    let mut connection = Connection::open(server.address);
    watch::median(|| connection.send(&request).len())
}

fn show_answers(data: &Dataset) -> Times {
    let first = uncached(data);
    let again = Server::start(data.store.clone(), Role::Admin, AccessSettings::default());
    let mut sql = Sql::open(&data.path());
    println!("| question, over HTTP | first, ms | again, ms | baseline | ms | first | again | target |");
    println!("|---|---|---|---|---|---|---|---|");
    let mut times = Times::new();
    for question in questions::all() {
        let (ours, answer) = answered(&first, &question);
        let (theirs, expected) = sql.best(&question.sql);
        assert_eq!((question.total)(&answer), expected, "the answer differs from SQL: {}", question.name);
        let cached = question.cached.then(|| {
            let (time, cached) = answered(&again, &question);
            assert_eq!(cached, answer, "the answer from the cache differs: {}", question.name);
            time
        });
        row(question.name, (ours, cached), question.baseline, theirs, question.target);
        if question.folded {
            let folded = folding::page_statistics(data.store.as_ref());
            row(question.name, (ours, None), "folding the same sheets in memory", folded, Target::TimesAsLong(2.0));
        }
        times.push(ours);
    }
    println!(
        "\nA request without a question, `GET /healthz`, takes {:.2} ms.\n",
        healthz(&again).as_secs_f64() * 1_000.0
    );
    times
}

/// Prints the times of a question: the first one and, if its folds are cached, a repeated one.
fn row(what: &str, (first, again): (Duration, Option<Duration>), baseline: &str, theirs: Duration, target: Target) {
    let ms = |time: Duration| time.as_secs_f64() * 1_000.0;
    let cell = |time: Option<Duration>, show: &dyn Fn(f64) -> String| time.map_or(String::new(), |time| show(ms(time)));
    let theirs = ms(theirs);
    let ratio = |ours: f64| match target {
        Target::TimesFaster(_) => format!("{:.0} × faster", theirs / ours),
        Target::TimesAsLong(_) => format!("{:.2} × the time", ours / theirs),
    };
    let wanted = match target {
        Target::TimesFaster(least) => format!("{least:.0} × faster"),
        Target::TimesAsLong(most) => format!("{most:.0} × the time"),
    };
    println!(
        "| {what} | {:.2} | {} | {baseline} | {theirs:.2} | {} | {} | {wanted} |",
        ms(first),
        cell(again, &|ours| format!("{ours:.2}")),
        ratio(ms(first)),
        cell(again, &ratio),
    );
}

fn show_merging(data: &Dataset) {
    println!("| events | bytes written by merging, per event | per event of this part |\n|---|---|---|");
    for point in &data.curve {
        println!("| {} | {:.1} | {:.1} |", point.events, point.all, point.part);
    }
    println!();
}

fn show_growth(sizes: &[(u32, Times)]) {
    let (Some((_, first)), Some((_, last))) = (sizes.first(), sizes.last()) else { return };
    let heads: Vec<String> = sizes.iter().map(|(events, _)| format!("{events} events, ms")).collect();
    println!("| question, first | {} | last to first | target |", heads.join(" | "));
    println!("|---|{}---|---|", "---|".repeat(sizes.len()));
    for (at, question) in questions::all().iter().enumerate() {
        let times: Vec<String> =
            sizes.iter().map(|(_, times)| format!("{:.2}", times[at].as_secs_f64() * 1_000.0)).collect();
        let growth = last[at].as_secs_f64() / first[at].as_secs_f64();
        println!("| {} | {} | {growth:.2} | 2 |", question.name, times.join(" | "));
    }
}
