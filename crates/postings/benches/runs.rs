//! Measures runs of the workload of the benchmarks: bytes per event by part, building, merging and reading.
//!
//! `cargo bench -p trailkeeper-postings --bench runs`, with `EVENTS=300000` for a smaller month. Prints Markdown;
//! `docs/sheets.md` contains the results.
#![expect(clippy::unwrap_used, clippy::indexing_slicing, reason = "a bench that cannot go on should say where")]
#![expect(clippy::cast_precision_loss, reason = "ratios are printed with two digits")]

use std::collections::HashMap;
use std::hash::Hash;
use std::hint::black_box;
use std::time::Instant;

use trailkeeper_domain::Result;
use trailkeeper_domain::event::Event;
use trailkeeper_domain::indexed_event::IndexedEvent;
use trailkeeper_domain::scope::Scope;
use trailkeeper_postings::dimension::{Column, Dimension};
use trailkeeper_postings::page_source::PageSource;
use trailkeeper_postings::run::{Part, RunBuilder, RunReader, merge_runs};
use trailkeeper_postings::segment::Segment;
use trailkeeper_testkit::{TestEntropy, Workload};

fn main() {
    let count: u32 = std::env::var("EVENTS").ok().map_or(1_000_000, |events| events.parse().unwrap());
    let events = month(count);
    let mut tenants: HashMap<_, usize> = HashMap::new();
    for event in &events {
        *tenants.entry(event.tenant_id).or_default() += 1;
    }
    let mut tenants: Vec<_> = tenants.into_iter().map(|(tenant, events)| (events, tenant)).collect();
    tenants.sort_unstable();
    let of = |rank: usize| {
        let tenant = tenants[tenants.len() - 1 - rank].1;
        let events: Vec<_> = events.iter().copied().filter(|event| event.tenant_id == tenant).collect();
        (Scope::Tenant(tenant), events)
    };
    measure("everyone", Scope::Everyone, &events);
    for rank in [0, 9, 99] {
        let (scope, events) = of(rank);
        measure(&format!("tenant {}", rank + 1), scope, &events);
    }
    let mut len = 0;
    for (_, tenant) in &tenants {
        let of_tenant: Vec<_> = events.iter().copied().filter(|event| event.tenant_id == *tenant).collect();
        len += Stored::built(Scope::Tenant(*tenant), &of_tenant).len();
    }
    println!("all tenants: {:.2} bytes per event", len as f64 / events.len() as f64);
}

/// The events of a month: those of the workload, at times of no pattern, every hundredth one stored up to an hour late.
fn month(count: u32) -> Vec<IndexedEvent> {
    let entropy = TestEntropy::new(7);
    let (mut users, mut sources, mut pages, mut kinds) =
        (Numbers::new(1), Numbers::new(1), Numbers::new(2), Numbers::new(1));
    let mut events: Vec<IndexedEvent> = Workload::new(1, count * 3)
        .take(count as usize)
        .map(|event: Event| {
            let jitter = i64::try_from(entropy.below(20_000_000)).unwrap();
            IndexedEvent {
                seq: 0,
                occurred_at: event.occurred_at + chrono::Duration::microseconds(jitter),
                tenant_id: event.tenant_id,
                env: event.env_id,
                kind: kinds.of(event.kind.as_str().to_owned()),
                outcome: event.outcome,
                user: event.user_id.map(|user| users.of(user.as_str().to_owned())),
                source: event.source.map(|source| sources.of(source)),
                page: event.page.map(|page| pages.of(page.as_str().to_owned())),
                other_page: None,
                session: None,
                target_type: None,
                target_id: None,
            }
        })
        .collect();
    let late = |event: &IndexedEvent| {
        let late = if entropy.chance(1) { i64::try_from(entropy.below(3_600_000_000)).unwrap() } else { 0 };
        event.occurred_at + chrono::Duration::microseconds(late)
    };
    let mut order: Vec<_> = events.iter().map(late).zip(0_usize..).collect();
    order.sort_unstable();
    for ((_, index), seq) in order.into_iter().zip(1..) {
        events[index].seq = seq;
    }
    events.sort_unstable_by_key(|event| event.seq);
    events
}

/// Dense numbers in the order of first use.
struct Numbers<T> {
    first: u32,
    known: HashMap<T, u32>,
}

impl<T: Eq + Hash> Numbers<T> {
    fn new(first: u32) -> Self {
        Self { first, known: HashMap::new() }
    }

    fn of(&mut self, name: T) -> u32 {
        let next = self.first + u32::try_from(self.known.len()).unwrap();
        *self.known.entry(name).or_insert(next)
    }
}

struct Stored {
    header: Vec<u8>,
    pages: Vec<Vec<u8>>,
}

impl Stored {
    fn built(scope: Scope, events: &[IndexedEvent]) -> Self {
        let mut builder = RunBuilder::new(scope);
        for event in events {
            builder.add(event).unwrap();
        }
        let mut pages = Vec::new();
        let header = builder.finish(&mut |_, page| keep(&mut pages, page)).unwrap();
        Self { header, pages }
    }

    fn len(&self) -> usize {
        self.header.len() + self.pages.iter().map(Vec::len).sum::<usize>()
    }

    fn open(&self) -> RunReader<Copied<'_>> {
        RunReader::open(&self.header, None, Copied(self)).unwrap()
    }
}

#[expect(clippy::unnecessary_wraps, reason = "the signature of a sink")]
fn keep(pages: &mut Vec<Vec<u8>>, page: Vec<u8>) -> Result<()> {
    pages.push(page);
    Ok(())
}

/// Copies each page, as a database does.
struct Copied<'a>(&'a Stored);

impl PageSource for Copied<'_> {
    fn pages(&mut self, pages: &[u32]) -> Result<Vec<Vec<u8>>> {
        Ok(pages.iter().map(|page| self.0.pages[*page as usize].clone()).collect())
    }
}

fn measure(name: &str, scope: Scope, events: &[IndexedEvent]) {
    let (stored, build) = timed(|| Stored::built(scope, events));
    let per_event = |bytes: usize| bytes as f64 / events.len() as f64;
    let (len, pages) = (per_event(stored.len()), stored.pages.len());
    println!(
        "\n**{name}**: {} events, {len:.2} bytes per event, {pages} pages, header {} bytes.\n",
        events.len(),
        stored.header.len()
    );
    println!("| part | bytes per event |\n|---|---|");
    let run = stored.open();
    let mut columns = 0;
    for (part, pages) in run.parts() {
        let bytes = stored.pages.get(pages.start as usize..pages.end as usize).unwrap_or_default();
        let bytes: usize = bytes.iter().map(Vec::len).sum();
        columns += if matches!(part, Part::Column(_)) { bytes } else { 0 };
        println!("| {part:?} | {:.2} |", per_event(bytes));
    }
    println!(
        "| keys and lists | {:.2} |\n| columns | {:.2} |\n",
        per_event(stored.len() - columns),
        per_event(columns)
    );

    let parts: Vec<Stored> = events.chunks(events.len().div_ceil(4)).map(|part| Stored::built(scope, part)).collect();
    let ((), merge) = timed(|| {
        let mut pages = Vec::new();
        let mut readers: Vec<_> = parts.iter().map(Stored::open).collect();
        let merged = merge_runs(&mut readers, &mut |_, page| keep(&mut pages, page)).unwrap();
        assert!(merged.header == stored.header && pages == stored.pages, "merging gave another run");
    });
    let million = |seconds: f64| seconds * 1e6 / events.len() as f64;
    println!("| | µs |\n|---|---|");
    println!("| build, per event | {:.3} |\n| merge of 4, per event | {:.3} |", million(build), million(merge));
    let middle = events[events.len() / 2];
    let user = middle.user.unwrap();
    let all = 0..run.len();
    let few: Vec<u32> = (0..50).map(|index| index * (run.len() / 50)).collect();
    let every: Vec<u32> = all.clone().collect();
    let row = |name: &str, ask: &mut dyn FnMut(&mut RunReader<Copied<'_>>)| {
        let mut best = f64::MAX;
        for _ in 0..5 {
            let ((), seconds) = timed(|| ask(&mut stored.open()));
            best = best.min(seconds);
        }
        println!("| {name} | {:.1} |", best * 1e6);
    };
    row("open the header", &mut |_| ());
    row("rank of a time", &mut |run| drop(black_box(run.rank(middle.position()))));
    row("frequency of a user", &mut |run| drop(black_box(run.frequency(Dimension::User, user))));
    row("list of a user", &mut |run| drop(black_box(run.postings(Dimension::User, user, all.clone()))));
    row("list of user 1", &mut |run| drop(black_box(run.postings(Dimension::User, 1, all.clone()))));
    row("list of a page", &mut |run| drop(black_box(run.postings(Dimension::Page, 12, all.clone()))));
    row("list of the most frequent type", &mut |run| drop(black_box(run.postings(Dimension::Kind, 1, all.clone()))));
    row("50 keys next to each other", &mut |run| drop(black_box(run.keys(&every[..50.min(every.len())]))));
    row("50 keys far apart", &mut |run| drop(black_box(run.keys(&few))));
    row("the users of all events", &mut |run| drop(black_box(run.column(Column::User, &every))));
    row("all events again", &mut |run| {
        run.events(scope, &mut |event| {
            black_box(event);
            Ok(())
        })
        .unwrap();
    });
    black_box(run.len());
}

fn timed<T>(work: impl FnOnce() -> T) -> (T, f64) {
    let began = Instant::now();
    let result = work();
    (result, began.elapsed().as_secs_f64())
}
