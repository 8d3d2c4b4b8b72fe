//! The runs of one scope as segments, and its waiting deltas.

use std::cmp::Reverse;
use std::sync::Arc;

use chrono::TimeDelta;
use diesel::prelude::*;
use trailkeeper_domain::ports::{PostingReads, PostingRunKey};
use trailkeeper_domain::scope::Scope;
use trailkeeper_domain::time::{self, TimeRange, Timestamp};
use trailkeeper_domain::{Error, Result};
use trailkeeper_postings::delta::Delta;
use trailkeeper_postings::page_source::PageSource;
use trailkeeper_postings::query::{Query, Segments, Span, Waiting};
use trailkeeper_postings::run::RunReader;
use trailkeeper_postings::segment::Segment;

use super::super::Tx;
use super::super::postings::RUNS;
use super::super::sheets::number;
use crate::columns::DbTime;
use crate::generation::Generation;
use crate::rows::unreadable;
use crate::run_cache::RunCache;
use crate::schema::posting_runs;

/// The runs that may have events of a query.
///
/// Two statements are enough for a question about recent events: one reads the keys of all runs of the scope, another
/// the headers of the newest month. Each further statement reads the headers of twice as many months. Pages are read by
/// the reader of a run, many by one statement. Headers and pages that are cached need no statement.
pub struct ScopeRuns<'t, 'c> {
    tx: &'t mut Tx<'c>,
    generations: Vec<Generation>,
    scope: Scope,
    /// The newest month first.
    runs: Vec<ListedRun>,
    months_at_once: usize,
    has_waiting: bool,
}

/// A run of one of the buckets.
struct ListedRun {
    generation: Generation,
    key: PostingRunKey,
    opened: Option<Opened>,
}

impl ListedRun {
    fn place(&self) -> (Reverse<Timestamp>, u32, Generation) {
        place(self.key, self.generation)
    }
}

/// The order of the runs of a scope.
fn place(key: PostingRunKey, generation: Generation) -> (Reverse<Timestamp>, u32, Generation) {
    (Reverse(key.month), key.run, generation)
}

/// The header of a run, and its removed positions.
struct Opened {
    header: Arc<Vec<u8>>,
    removed: Option<Vec<u8>>,
}

impl<'t, 'c> ScopeRuns<'t, 'c> {
    /// The runs of a scope whose months have a part of the range of the query.
    pub fn new(tx: &'t mut Tx<'c>, generations: &[Generation], scope: Scope, query: &Query) -> Result<Self> {
        let mut runs = Vec::new();
        for generation in generations.iter().copied() {
            for (key, is_whole) in tx.listed_runs(generation, scope)? {
                let is_in_time = query.from.is_none_or(|from| from < month_after(key.month))
                    && query.until.is_none_or(|until| key.month < until);
                if is_in_time {
                    let cached = tx.run_cache().filter(|_| is_whole).and_then(|cache| cache.header(generation, key));
                    let opened = cached.map(|header| Opened { header, removed: None });
                    runs.push(ListedRun { generation, key, opened });
                }
            }
        }
        runs.sort_unstable_by_key(ListedRun::place);
        Ok(Self { tx, generations: generations.to_vec(), scope, runs, months_at_once: 1, has_waiting: true })
    }

    /// The same runs without the waiting deltas.
    pub fn without_waiting(self) -> Self {
        Self { has_waiting: false, ..self }
    }

    /// Reads the headers of the month of a run and of some months before it.
    fn load(&mut self, index: usize) -> Result<()> {
        let unknown = self.runs.iter().skip(index).filter(|run| run.opened.is_none());
        let mut months: Vec<Timestamp> = unknown.map(|run| run.key.month).collect();
        months.dedup();
        months.truncate(self.months_at_once);
        self.months_at_once *= 2;
        let (Some(newest), Some(oldest)) = (months.first(), months.last()) else { return Ok(()) };
        let months = TimeRange { start: *oldest, end: month_after(*newest) };
        for generation in self.generations.iter().copied() {
            let scope = self.scope;
            let read = self.tx.inside(generation.bucket, |tx| tx.posting_runs(generation.number, scope, months));
            for run in read? {
                let place = self.runs.binary_search_by_key(&place(run.key, generation), ListedRun::place);
                // The months may have runs whose headers were cached.
                if let Some(ListedRun { key, opened: opened @ None, .. }) =
                    place.ok().and_then(|place| self.runs.get_mut(place))
                {
                    let header = Arc::new(run.header);
                    if let Some(cache) = self.tx.run_cache() {
                        cache.put_header(generation, *key, &header);
                    }
                    *opened = Some(Opened { header, removed: run.removed });
                }
            }
        }
        Ok(())
    }
}

impl Segments for ScopeRuns<'_, '_> {
    fn spans(&self) -> Vec<Span> {
        // A month is exact enough, and known without the header.
        let last = |month| month_after(month) - TimeDelta::microseconds(1);
        self.runs.iter().map(|run| Span { first: run.key.month, last: last(run.key.month) }).collect()
    }

    fn open(&mut self, index: usize, work: &mut dyn FnMut(&mut dyn Segment) -> Result<()>) -> Result<()> {
        if self.runs.get(index).is_some_and(|run| run.opened.is_none()) {
            self.load(index)?;
        }
        let Some(ListedRun { generation, key, opened: Some(run) }) = self.runs.get(index) else {
            return Err(Error::internal("a run of the index of events has a key and no header"));
        };
        let pages = RunPages { tx: &mut *self.tx, generation: *generation, key: *key };
        work(&mut RunReader::open(&run.header, run.removed.as_deref(), pages)?)
    }

    fn waiting(&mut self, query: &Query, each: &mut dyn FnMut(&Waiting<'_>) -> Result<()>) -> Result<()> {
        if !self.has_waiting {
            return Ok(());
        }
        let tenant = match self.scope {
            Scope::Everyone => None,
            Scope::Tenant(tenant) => Some(tenant),
        };
        self.tx.deltas_of(self.scope, &mut |waiting| {
            let number = waiting.number;
            let delta = Delta::read(waiting.payload).map_err(|error| unreadable("deltas", "payload", number, error))?;
            Waiting::of(&delta, number, tenant, query).map_or(Ok(()), |waiting| each(&waiting))
        })
    }
}

impl<'c> Tx<'c> {
    /// What is cached of the runs; `None` if this transaction has written runs, which may be rolled back.
    fn run_cache(&self) -> Option<&'c RunCache> {
        (!self.changed_sheets).then_some(&self.shared.runs)
    }

    /// The keys of the runs of a scope, and whether each has all of its events.
    fn listed_runs(&mut self, generation: Generation, scope: Scope) -> Result<Vec<(PostingRunKey, bool)>> {
        let key = self.asked_tenant(scope.key())?;
        let runs = posting_runs::table
            .filter(posting_runs::bucket.eq(generation.bucket.code()))
            .filter(posting_runs::generation.eq(generation.number))
            .filter(posting_runs::scope.eq(key))
            .select((posting_runs::month, posting_runs::run, posting_runs::removed.is_null()));
        let rows: Vec<(DbTime, i32, bool)> = self.run(RUNS, |conn| runs.load(conn))?;
        rows.into_iter()
            .map(|(month, run, is_whole)| Ok((PostingRunKey { scope, month: month.0, run: number(run)? }, is_whole)))
            .collect()
    }
}

/// The pages of one run.
struct RunPages<'t, 'c> {
    tx: &'t mut Tx<'c>,
    generation: Generation,
    key: PostingRunKey,
}

impl RunPages<'_, '_> {
    fn read(&mut self, pages: &[u32]) -> Result<Vec<Vec<u8>>> {
        let (Generation { bucket, number }, key) = (self.generation, self.key);
        self.tx.inside(bucket, |tx| tx.posting_pages(number, key, pages))
    }
}

impl PageSource for RunPages<'_, '_> {
    fn pages(&mut self, pages: &[u32]) -> Result<Vec<Vec<u8>>> {
        let (generation, key) = (self.generation, self.key);
        let Some(cache) = self.tx.run_cache() else { return self.read(pages) };
        let mut found: Vec<Option<Arc<Vec<u8>>>> =
            pages.iter().map(|page| cache.page(generation, key, *page)).collect();
        let missing: Vec<u32> =
            pages.iter().zip(&found).filter(|(_, found)| found.is_none()).map(|(page, _)| *page).collect();
        if !missing.is_empty() {
            let mut read = self.read(&missing)?.into_iter();
            for (page, found) in pages.iter().zip(&mut found).filter(|(_, found)| found.is_none()) {
                *found = read.next().map(Arc::new);
                if let Some(bytes) = found {
                    cache.put_page(generation, key, *page, bytes);
                }
            }
        }
        Ok(found.into_iter().flatten().map(Arc::unwrap_or_clone).collect())
    }

    fn name(&self) -> String {
        let PostingRunKey { scope, month, run } = self.key;
        let scope = match scope {
            Scope::Everyone => "everyone".to_owned(),
            Scope::Tenant(tenant) => format!("the tenant {tenant}"),
        };
        format!("run {run} of {scope} in {}", month.format("%Y-%m"))
    }
}

fn month_after(month: Timestamp) -> Timestamp {
    time::midnight(time::next_month(month.date_naive()))
}
