//! Makes the runs of a new generation from all events.

use std::cmp::Reverse;
use std::collections::{BTreeMap, BTreeSet, HashMap};

use trailkeeper_domain::id::TenantId;
use trailkeeper_domain::indexed_event::IndexedEvent;
use trailkeeper_domain::ports::{PostingRunKey, Store};
use trailkeeper_domain::scope::{Level, Scope};
use trailkeeper_domain::time::Timestamp;
use trailkeeper_domain::{Error, Result};
use trailkeeper_postings::page_source::PageSource;
use trailkeeper_postings::run::{RunBuilder, RunReader, merge_runs};

use super::source::{HeldPages, StoredPages};
use super::tiers::{SizedRun, absorbed_by, next_number};
use super::write::{RunWriter, WrittenRuns};
use crate::engine::merger::Lease;

/// The most events in memory, each counted in every scope that it is in: about 20 MiB.
const IN_MEMORY: usize = 1 << 18;
/// The memory of a run that has few events yet, in events.
const AN_OPEN_RUN: usize = 32;

/// The scope and the month of a run.
type Place = (Scope, Timestamp);

/// Collects events in memory, in any order, and writes the largest runs when they are too many. The tenants of a database
/// with many of them would have tiny runs otherwise.
pub struct PostingsBuilder<'a> {
    store: &'a dyn Store,
    generation: i64,
    writer: RunWriter<'a>,
    open: BTreeMap<Place, RunBuilder>,
    in_memory: usize,
    most: usize,
}

impl<'a> PostingsBuilder<'a> {
    /// A builder of the runs of a generation that nobody reads yet.
    pub fn new(store: &'a dyn Store, lease: &'a Lease<'a>, generation: i64) -> Self {
        Self::with_memory(store, lease, generation, IN_MEMORY)
    }

    /// Like [`Self::new`], with this many events in memory.
    pub fn with_memory(store: &'a dyn Store, lease: &'a Lease<'a>, generation: i64, most: usize) -> Self {
        let writer = RunWriter::new(lease, generation);
        Self { store, generation, writer, open: BTreeMap::new(), in_memory: 0, most }
    }

    /// Adds an event to the runs of everyone, and to those of its tenant. The system tenant has none of its own.
    ///
    /// # Errors
    /// Those of the store, and that of a lost lease.
    pub fn add(&mut self, event: &IndexedEvent) -> Result<()> {
        let month = Level::Month.floor(event.occurred_at);
        let tenant = (event.tenant_id != TenantId::SYSTEM).then_some(Scope::Tenant(event.tenant_id));
        for scope in [Some(Scope::Everyone), tenant].into_iter().flatten() {
            let open = self.open.entry((scope, month)).or_insert_with(|| RunBuilder::new(scope));
            open.add(event)?;
            self.in_memory += 1;
        }
        if self.weight() > self.most { self.write_until(self.most / 2) } else { Ok(()) }
    }

    /// Writes the rest.
    ///
    /// # Errors
    /// Those of [`Self::add`].
    pub fn finish(mut self) -> Result<WrittenRuns> {
        self.write_until(0)?;
        Ok(self.writer.written())
    }

    fn weight(&self) -> usize {
        self.in_memory + self.open.len() * AN_OPEN_RUN
    }

    /// Writes the largest runs, until the others have at most this weight.
    fn write_until(&mut self, weight: usize) -> Result<()> {
        let mut places: Vec<(usize, Place)> = self.open.iter().map(|(place, run)| (run.len(), *place)).collect();
        places.sort_unstable_by_key(|(events, place)| (Reverse(*events), *place));
        let mut chosen = BTreeMap::new();
        for (events, place) in places {
            if self.weight() <= weight {
                break;
            }
            chosen.extend(self.open.remove_entry(&place));
            self.in_memory -= events;
        }
        let mut older = self.stored(chosen.keys().map(|(scope, _)| *scope).collect())?;
        for (place, run) in chosen {
            let older = older.remove(&place).unwrap_or_default();
            self.write(place, run, &older)?;
        }
        // The next call reads what this one wrote.
        self.writer.flush()
    }

    /// The runs of these scopes that were written before.
    fn stored(&self, scopes: BTreeSet<Scope>) -> Result<HashMap<Place, Vec<SizedRun>>> {
        let scopes: Vec<Scope> = scopes.into_iter().collect();
        let runs = self.store.reading(|tx| tx.posting_run_keys(self.generation, &scopes))?;
        let mut by_place: HashMap<Place, Vec<SizedRun>> = HashMap::new();
        for run in runs {
            by_place.entry((run.0.scope, run.0.month)).or_default().push(run);
        }
        Ok(by_place)
    }

    fn write(&mut self, (scope, month): Place, run: RunBuilder, older: &[SizedRun]) -> Result<()> {
        let events = u32::try_from(run.len()).map_err(Error::internal)?;
        let key = PostingRunKey { scope, month, run: next_number(older) };
        let absorbed: BTreeSet<PostingRunKey> = absorbed_by(events, older).into_iter().map(|(key, ..)| key).collect();
        if absorbed.is_empty() {
            return self.writer.write(key, Vec::new(), |sink| Ok((events, run.finish(sink)?)));
        }
        let mut pages = HeldPages::default();
        let header = run.finish(&mut |_, page| {
            pages.0.push(page);
            Ok(())
        })?;
        let new: Box<dyn PageSource + 'a> = Box::new(pages);
        let mut runs = vec![RunReader::open(&header, None, new)?];
        let stored = self.store.reading(|tx| tx.posting_runs(self.generation, scope, Level::Month.range(month)))?;
        for old in stored.into_iter().filter(|old| absorbed.contains(&old.key)) {
            let pages: Box<dyn PageSource + 'a> = Box::new(StoredPages::new(self.store, self.generation, old.key));
            runs.push(RunReader::open(&old.header, old.removed.as_deref(), pages)?);
        }
        if runs.len() != absorbed.len() + 1 {
            return Err(Error::internal("a run that was listed is missing"));
        }
        self.writer.write(key, absorbed.into_iter().collect(), |sink| {
            let merged = merge_runs(&mut runs, sink)?;
            Ok((merged.events, merged.header))
        })
    }
}
