//! Compares the codec of sheets with other encodings of sets, on the workload of the benchmarks.
//!
//! `cargo bench -p trailkeeper-analytics --bench sheet_codec`, with `EVENTS=5000000` for the full size.
//! Prints Markdown; `docs/sheets.md` contains the results. Every candidate must give the same answer.
#![expect(clippy::unwrap_used, clippy::indexing_slicing, reason = "a bench that cannot go on should say where")]
#![expect(clippy::cast_precision_loss, reason = "ratios are printed with two digits")]

#[path = "sheet_codec/candidates.rs"]
mod candidates;
#[path = "sheet_codec/workload.rs"]
mod workload;

use std::collections::BTreeMap;
use std::hint::black_box;
use std::time::Instant;

use candidates::Candidate;
use trailkeeper_analytics::sheet::{Facet, Fold, Folded, Sheet};

const RUNS: usize = 5;

fn main() {
    let events = std::env::var("EVENTS").ok().map_or(2_000_000, |events| events.parse().unwrap());
    let work = workload::build(events);
    let (facts, seconds) = work.counted;
    println!(
        "{events} events. Counting one into everyone's hour and its tenant's day: {:.2} µs.\n",
        seconds * 1e6 / facts as f64
    );
    println!("Bytes, and time to fold page statistics of 90 days, as ratios to roaring (smaller is better).\n");
    println!("| sheets | cells | | roaring | varints | Rice | runs | ours |");
    println!("|---|---|---|---|---|---|---|---|");
    compare("everyone, days", std::slice::from_ref(&work.days));
    compare("everyone, months", &[work.months]);
    compare("everyone, hours", &[work.hours]);
    compare("tenants, days", &work.tenant_days.into_values().collect::<Vec<_>>());
    println!();
    totals(&work.days);
}

/// Each group is folded separately: one scope is one question.
fn compare(name: &str, groups: &[Vec<Sheet>]) {
    let cells: usize = groups.iter().flatten().map(Sheet::len).sum();
    let mut columns = Vec::new();
    let mut answers: Vec<Vec<BTreeMap<u64, usize>>> = Vec::new();
    for candidate in [Candidate::Roaring, Candidate::Varints, Candidate::Rice, Candidate::Runs] {
        let payloads = encoded(groups, |sheet| candidate.encode(sheet));
        answers.push(payloads.iter().map(|group| candidate.fold(group)).collect());
        columns.push((size(&payloads), best(|| payloads.iter().map(|group| candidate.fold(group).len()).sum())));
    }
    let payloads = encoded(groups, Sheet::encode);
    answers.push(payloads.iter().map(|group| pages(group)).collect());
    columns.push((size(&payloads), best(|| payloads.iter().map(|group| pages(group).len()).sum())));
    assert!(answers.iter().all(|answer| *answer == answers[0]), "the candidates disagree about {name}");
    let (bytes, seconds) = columns[0];
    let row = |value: &dyn Fn(&(usize, f64)) -> f64| {
        columns.iter().fold(String::new(), |row, column| row + &format!(" {:.2} |", value(column)))
    };
    println!(
        "| {name} | {cells} | bytes ({:.1} MB) |{}",
        bytes as f64 / 1e6,
        row(&|column| column.0 as f64 / bytes as f64)
    );
    println!("| | | fold ({:.1} ms) |{}", seconds * 1e3, row(&|column| column.1 / seconds));
}

/// Measures the use of the length prefixes and of the cardinality in each head, and the cost of merging.
fn totals(days: &[Sheet]) {
    let payloads: Vec<Vec<u8>> = days.iter().map(Sheet::encode).collect();
    let small: Vec<Vec<u8>> =
        days.iter().map(|day| day.clone().partition(|facet| facet == Facet::Views).1.encode()).collect();
    let all = best(|| pages(&payloads).len());
    let active = |payloads: &[Vec<u8>]| folded(&[Facet::ActiveAll], payloads).total(Facet::ActiveAll);
    let merge = |payloads: &[Vec<u8>]| folded(&Facet::ALL, payloads).into_sheet().encode().len();
    let decode = |payloads: &[Vec<u8>]| {
        let mut sheet = Sheet::default();
        for payload in payloads {
            sheet.merge(Sheet::decode(payload).unwrap());
        }
        sheet.encode().len()
    };
    println!("| everyone, 90 days, ours | ratio to page statistics |\n|---|---|");
    for (name, seconds) in [
        ("page statistics", all),
        ("distinct users, from whole day sheets", best(|| distinct(active(&payloads)))),
        ("distinct users, pages kept apart", best(|| distinct(active(&small)))),
        ("merge 90 days to one sheet by fold", best(|| merge(&payloads))),
        ("the same by decode and merge", best(|| decode(&payloads))),
    ] {
        println!("| {name} | {:.3} |", seconds / all);
    }
}

fn pages(payloads: &[Vec<u8>]) -> BTreeMap<u64, usize> {
    let cells = folded(&[Facet::Views], payloads).cells(Facet::Views);
    cells.into_iter().map(|cell| (cell.id, distinct(cell))).collect()
}

fn folded(facets: &[Facet], payloads: &[Vec<u8>]) -> Fold {
    let mut fold = Fold::new(facets);
    for payload in payloads {
        fold.add(payload).unwrap();
    }
    fold
}

fn distinct(cell: Folded) -> usize {
    usize::try_from(cell.distinct).unwrap()
}

fn encoded(groups: &[Vec<Sheet>], encode: impl Fn(&Sheet) -> Vec<u8>) -> Vec<Vec<Vec<u8>>> {
    groups.iter().map(|group| group.iter().map(&encode).collect()).collect()
}

fn size(payloads: &[Vec<Vec<u8>>]) -> usize {
    payloads.iter().flatten().map(Vec::len).sum()
}

/// The seconds of the fastest of several runs: other work on the machine only adds time.
fn best(run: impl Fn() -> usize) -> f64 {
    let times = (0..RUNS).map(|_| {
        let began = Instant::now();
        black_box(run());
        began.elapsed().as_secs_f64()
    });
    times.fold(f64::INFINITY, f64::min)
}
