//! Makes the runs of a new generation from all events.

use std::cmp::Reverse;
use std::collections::{BTreeMap, BTreeSet, HashMap};

use trailkeeper_domain::id::TenantId;
use trailkeeper_domain::indexed_event::IndexedEvent;
use trailkeeper_domain::ports::{PostingRunKey, Store};
use trailkeeper_domain::scope::{Level, Scope};
use trailkeeper_domain::{Error, Result};
use trailkeeper_postings::run::RunBuilder;

use super::merged::{Stored, keys, merged};
use super::tiers::{Place, SizedRun, absorbed_by, by_place, next_number};
use super::write::{RunWriter, WrittenRuns};
use crate::engine::lease::Lease;

/// The most events in memory, each counted in every scope that it is in: about 20 MiB.
const IN_MEMORY: usize = 1 << 18;
/// The memory of a run that has few events yet, in events.
const AN_OPEN_RUN: usize = 32;

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
        let writer = RunWriter::new(store, lease, generation);
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
        Ok(by_place(runs))
    }

    fn write(&mut self, (scope, month): Place, run: RunBuilder, older: &[SizedRun]) -> Result<()> {
        let events = u32::try_from(run.len()).map_err(Error::internal)?;
        let key = PostingRunKey { scope, month, run: next_number(older) };
        let absorbed = keys(&absorbed_by(events, older));
        let stored = Stored { store: self.store, generation: self.generation, keys: &absorbed };
        self.writer.write(key, absorbed.clone(), |sink| merged(Some(run), stored, sink))
    }
}
