//! What a store knows of ids.

use std::collections::HashMap;
use std::sync::Arc;

use diesel::result::QueryResult;
use parking_lot::{Mutex, RwLock};

use super::super::Conn;
use super::filter::{BUDGET, Filter};
use super::merge::Merge;
use super::page::Entry;
use super::recent::Recent;
use super::rows;
use super::run::{Run, RunKey};
use crate::options::StoreOptions;

/// What the connections to one content know of its ids.
#[derive(Debug)]
pub struct Ids {
    /// The number of recent ids that become a run, and of entries that a step merges.
    pub in_memory: usize,
    /// `None` if the writer has to read it again.
    pub known: RwLock<Option<Known>>,
    /// Runs with their headers, and filters if these are complete.
    runs: Mutex<HashMap<RunKey, Arc<Run>>>,
    /// The background work.
    pub jobs: Mutex<Jobs>,
}

/// The ids of all committed events.
#[derive(Debug)]
pub struct Known {
    /// Whether the unique index is still there. It decides then, and nothing else here is used.
    pub indexed: bool,
    /// The visible runs, oldest events first.
    pub runs: Vec<Arc<Run>>,
    pub recent: Recent,
}

/// Work that is going on between transactions. Losing it loses no ids.
#[derive(Debug, Default)]
pub struct Jobs {
    pub merges: Vec<Merge>,
    /// A filter that is being made from the pages of its run, and the next page.
    pub filter: Option<(Arc<Run>, Filter, usize)>,
    /// Runs whose pages have to be removed.
    pub garbage: Vec<i64>,
    /// Whether pages of crashed merges were looked for.
    pub swept: bool,
    /// New ids since the last step that is not a merge.
    pub credit: usize,
}

impl Ids {
    /// Nothing is known yet.
    pub fn new(options: &StoreOptions) -> Self {
        Self {
            in_memory: options.ids_in_memory.max(1),
            known: RwLock::default(),
            runs: Mutex::default(),
            jobs: Mutex::default(),
        }
    }

    /// Records ids that were committed.
    pub fn committed(&self, entries: &[Entry]) {
        if let Some(known) = self.known.write().as_mut().filter(|known| !known.indexed) {
            known.recent.extend(entries.iter().copied());
        }
    }

    /// Makes the writer read everything again: others may have written.
    pub fn forget(&self) {
        *self.known.write() = None;
    }

    /// A visible run with its header.
    pub fn run(&self, conn: &mut Conn, key: RunKey) -> QueryResult<Arc<Run>> {
        if let Some(run) = self.runs.lock().get(&key) {
            return Ok(Arc::clone(run));
        }
        let run = Arc::new(rows::run(conn, key)?);
        Ok(Arc::clone(self.runs.lock().entry(key).or_insert(run)))
    }

    /// A number for a new run. Merges have numbers before they have pages.
    pub fn next_run(&self, conn: &mut Conn) -> QueryResult<i64> {
        let merging = self.jobs.lock().merges.iter().filter_map(Merge::output).max();
        Ok(rows::next_run(conn)?.max(merging.map_or(0, |run| run + 1)))
    }

    /// Remembers these runs, which are all visible ones, and forgets the others.
    pub fn keep(&self, runs: &[Arc<Run>]) {
        let mut kept = self.runs.lock();
        kept.clear();
        kept.extend(runs.iter().map(|run| (run.key, Arc::clone(run))));
    }

    /// The bytes that a new filter may take.
    pub fn filter_budget(&self) -> u64 {
        let runs = self.runs.lock();
        let taken: u64 = runs.values().filter_map(|run| run.filter.get()).map(Filter::bytes).sum();
        BUDGET.saturating_sub(taken)
    }
}
