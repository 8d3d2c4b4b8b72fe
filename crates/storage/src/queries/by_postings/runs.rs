//! The runs of one scope as segments, and its waiting deltas.

use std::cmp::Reverse;

use chrono::TimeDelta;
use trailkeeper_domain::ports::{PostingReads, PostingRun, PostingRunKey};
use trailkeeper_domain::scope::Scope;
use trailkeeper_domain::time::{self, TimeRange, Timestamp};
use trailkeeper_domain::{Error, Result};
use trailkeeper_postings::delta::Delta;
use trailkeeper_postings::page_source::PageSource;
use trailkeeper_postings::query::{Query, Segments, Span, Waiting};
use trailkeeper_postings::run::RunReader;
use trailkeeper_postings::segment::Segment;

use super::super::Tx;
use crate::rows::unreadable;

/// The runs that may have events of a query.
///
/// Two statements are enough for a question about recent events: one reads the keys of all runs of the scope, another
/// the headers of the newest month. Each further statement reads the headers of twice as many months. Pages are read by
/// the reader of a run, up to 16 by one statement.
pub struct ScopeRuns<'t, 'c> {
    tx: &'t mut Tx<'c>,
    generation: i64,
    scope: Scope,
    /// The newest month first.
    runs: Vec<(PostingRunKey, Option<PostingRun>)>,
    months_at_once: usize,
    has_waiting: bool,
}

impl<'t, 'c> ScopeRuns<'t, 'c> {
    /// The runs of a scope whose months have a part of the range of the query.
    pub fn new(tx: &'t mut Tx<'c>, generation: i64, scope: Scope, query: &Query) -> Result<Self> {
        let mut runs: Vec<(PostingRunKey, Option<PostingRun>)> = Vec::new();
        for (key, ..) in tx.posting_run_keys(generation, &[scope])? {
            let is_in_time = query.from.is_none_or(|from| from < month_after(key.month))
                && query.until.is_none_or(|until| key.month < until);
            if is_in_time {
                runs.push((key, None));
            }
        }
        runs.sort_unstable_by_key(|(key, _)| (Reverse(key.month), key.run));
        Ok(Self { tx, generation, scope, runs, months_at_once: 1, has_waiting: true })
    }

    /// The same runs without the waiting deltas.
    pub fn without_waiting(self) -> Self {
        Self { has_waiting: false, ..self }
    }

    /// Reads the headers of the month of a run and of some months before it.
    fn load(&mut self, index: usize) -> Result<()> {
        let mut months: Vec<Timestamp> = self.runs.iter().skip(index).map(|(key, _)| key.month).collect();
        months.dedup();
        months.truncate(self.months_at_once);
        self.months_at_once *= 2;
        let (Some(newest), Some(oldest)) = (months.first(), months.last()) else { return Ok(()) };
        let months = TimeRange { start: *oldest, end: month_after(*newest) };
        for run in self.tx.posting_runs(self.generation, self.scope, months)? {
            let place = self
                .runs
                .binary_search_by_key(&(Reverse(run.key.month), run.key.run), |(key, _)| (Reverse(key.month), key.run));
            if let Some((_, loaded)) = place.ok().and_then(|place| self.runs.get_mut(place)) {
                *loaded = Some(run);
            }
        }
        Ok(())
    }
}

impl Segments for ScopeRuns<'_, '_> {
    fn spans(&self) -> Vec<Span> {
        // A month is exact enough, and known without the header.
        let last = |month| month_after(month) - TimeDelta::microseconds(1);
        self.runs.iter().map(|(key, _)| Span { first: key.month, last: last(key.month) }).collect()
    }

    fn open(&mut self, index: usize, work: &mut dyn FnMut(&mut dyn Segment) -> Result<()>) -> Result<()> {
        if self.runs.get(index).is_some_and(|(_, loaded)| loaded.is_none()) {
            self.load(index)?;
        }
        let Some((key, Some(run))) = self.runs.get(index) else {
            return Err(Error::internal("a run of the index of events has a key and no header"));
        };
        let pages = RunPages { tx: &mut *self.tx, generation: self.generation, key: *key };
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

/// The pages of one run.
struct RunPages<'t, 'c> {
    tx: &'t mut Tx<'c>,
    generation: i64,
    key: PostingRunKey,
}

impl PageSource for RunPages<'_, '_> {
    fn pages(&mut self, pages: &[u32]) -> Result<Vec<Vec<u8>>> {
        self.tx.posting_pages(self.generation, self.key, pages)
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
