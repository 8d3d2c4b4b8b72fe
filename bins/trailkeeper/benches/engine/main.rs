//! How fast questions are answered, what events cost on the disk and in memory, and what merging writes: as ratios to
//! named baselines of the same run, over the same file.
//!
//! `make bench`, or `EVENTS=5000000 make bench`. `GROWTH=1` asks the same questions at a fifth of the events and at
//! four times as many. Prints Markdown tables.
#![expect(clippy::unwrap_used, clippy::indexing_slicing, reason = "a benchmark that cannot go on should say where")]

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
        sizes.push((count / 5, answers_alone(count / 5)));
    }
    sizes.push((count, everything(count)));
    if growth {
        sizes.push((count * 4, answers_alone(count * 4)));
        show_growth(&sizes);
    }
}

/// The times of the questions, in their order, each when nothing is remembered.
type Times = Vec<Duration>;

fn answers_alone(count: u32) -> Times {
    let data = Dataset::build(count);
    let server = forgetful(&data);
    questions::all().iter().map(|question| answered(&server, question).0).collect()
}

/// A server that remembers no folds: each time is the first time.
fn forgetful(data: &Dataset) -> Server {
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

/// Asks until the time is known well, and gives the last answer with it.
fn answered(server: &Server, question: &Question) -> (Duration, serde_json::Value) {
    let request = request("GET", &question.path, &server.token, "");
    let mut connection = Connection::open(server.address);
    let answer = serde_json::from_str(&connection.send(&request)).unwrap();
    (watch::median(|| connection.send(&request).len()), answer)
}

/// What HTTP alone costs.
fn nothing(server: &Server) -> Duration {
    let request = request("GET", "/healthz", &server.token, "");
    let mut connection = Connection::open(server.address);
    watch::median(|| connection.send(&request).len())
}

fn show_answers(data: &Dataset) -> Times {
    let first = forgetful(data);
    let again = Server::start(data.store.clone(), Role::Admin, AccessSettings::default());
    let mut sql = Sql::open(&data.path());
    println!("| question, over HTTP | first, ms | again, ms | baseline | ms | first | again | target |");
    println!("|---|---|---|---|---|---|---|---|");
    let mut times = Times::new();
    for question in questions::all() {
        let (ours, answer) = answered(&first, &question);
        let (theirs, expected) = sql.best(&question.sql);
        assert_eq!((question.total)(&answer), expected, "the answer is another one in SQL: {}", question.name);
        let remembered = question.remembered.then(|| {
            let (time, remembered) = answered(&again, &question);
            assert_eq!(remembered, answer, "the answer is another one from memory: {}", question.name);
            time
        });
        row(question.name, (ours, remembered), question.baseline, theirs, question.target);
        if question.folded {
            let folded = folding::page_statistics(data.store.as_ref());
            row(question.name, (ours, None), "folding the same sheets in memory", folded, Target::TimesAsLong(2.0));
        }
        times.push(ours);
    }
    println!(
        "\nA request that asks nothing, `GET /healthz`, takes {:.2} ms.\n",
        nothing(&again).as_secs_f64() * 1_000.0
    );
    times
}

/// What a question takes the first time and, where folds are remembered, again.
fn row(what: &str, (first, again): (Duration, Option<Duration>), baseline: &str, theirs: Duration, target: Target) {
    let ms = |time: Duration| time.as_secs_f64() * 1_000.0;
    let told = |time: Option<Duration>, tell: &dyn Fn(f64) -> String| time.map_or(String::new(), |time| tell(ms(time)));
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
        told(again, &|ours| format!("{ours:.2}")),
        ratio(ms(first)),
        told(again, &ratio),
    );
}

fn show_merging(data: &Dataset) {
    println!("| events | bytes that merging wrote, per event | in this part alone |\n|---|---|---|");
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
