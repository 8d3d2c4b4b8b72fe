//! Counts events in memory, a bounded number at a time, and writes them into the new generation.

use std::collections::{BTreeMap, BTreeSet, VecDeque};

use trailkeeper_domain::fact::EventFact;
use trailkeeper_domain::id::TenantId;
use trailkeeper_domain::ports::{ReadTx, Store};
use trailkeeper_domain::scope::{Level, Scope};
use trailkeeper_domain::time::{TimeRange, Timestamp};
use trailkeeper_domain::{Error, Result};

use super::Rebuilt;
use crate::engine::lease::{Lease, lost};
use crate::engine::merge::{self, Outcome, Period};
use crate::engine::merger::{Merged, write};
use crate::engine::retention::sheets_of_removed;
use crate::sheet::{Fact, SheetBuilder};

/// The most events that are counted in memory before they are written: a few megabytes.
const EVENTS: usize = 1 << 16;
/// The most bytes of sheets that one transaction adds, unless they are of one scope.
const BYTES: u64 = 4 * 1024 * 1024;

/// Events that are not written yet, and the counts of what was written.
pub struct Chunk<'a> {
    store: &'a dyn Store,
    lease: &'a Lease<'a>,
    generation: i64,
    builders: BTreeMap<Scope, BTreeMap<Timestamp, SheetBuilder>>,
    waiting: usize,
    events: u64,
    merged: Merged,
}

impl<'a> Chunk<'a> {
    /// An empty chunk for this generation.
    pub fn new(store: &'a dyn Store, lease: &'a Lease<'a>, generation: i64) -> Self {
        let (builders, merged) = (BTreeMap::new(), Merged::default());
        Self { store, lease, generation, builders, waiting: 0, events: 0, merged }
    }

    /// Counts an event of a tenant, for everyone and for the tenant.
    pub fn add(&mut self, tenant: TenantId, fact: &EventFact) -> Result<()> {
        for scope in [Scope::Everyone, Scope::Tenant(tenant)] {
            let start = scope.kind().finest().floor(fact.occurred_at);
            let periods = self.builders.entry(scope).or_default();
            periods.entry(start).or_insert_with(|| SheetBuilder::new(scope.kind())).add(&Fact::from(fact));
        }
        self.events += 1;
        self.waiting += 1;
        if self.waiting >= EVENTS { self.write() } else { Ok(()) }
    }

    /// The number of events that were counted.
    pub fn events(&self) -> u64 {
        self.events
    }

    /// Writes the rest.
    pub fn finish(mut self) -> Result<Rebuilt> {
        self.write()?;
        let merged = self.merged;
        Ok(Rebuilt {
            events: self.events,
            sheets: merged.sheets_written - merged.sheets_replaced,
            // A plan reads only the sheets that it replaces here.
            bytes: merged.bytes_written - merged.bytes_read,
            runs: 0,
            rewritten: None,
            generation: self.generation,
        })
    }

    /// Adds the sheets of removed events, which have no rows.
    pub fn add_removed(&mut self, tx: &mut dyn ReadTx, all: TimeRange) -> Result<()> {
        let keys = tx.sheets_of_removed(all)?;
        let months: BTreeSet<Timestamp> = keys.iter().map(|(_, key)| Level::Month.floor(key.start)).collect();
        for month in months {
            let mut scopes: BTreeMap<Scope, Vec<Period>> = BTreeMap::new();
            for (key, payload) in sheets_of_removed(tx, Level::Month.range(month))? {
                let period = Period::of(key.level, key.start, key.part, payload)?;
                scopes.entry(key.scope).or_default().push(period);
            }
            self.write_all(scopes.into_iter().collect())?;
        }
        Ok(())
    }

    fn write(&mut self) -> Result<()> {
        self.waiting = 0;
        let scopes: VecDeque<(Scope, Vec<Period>)> = std::mem::take(&mut self.builders)
            .into_iter()
            .map(|(scope, finest)| {
                let sheets = finest.into_iter().map(|(start, builder)| (start, builder.finish()));
                (scope, merge::periods(scope.kind(), sheets))
            })
            .collect();
        self.write_all(scopes)
    }

    fn write_all(&mut self, mut scopes: VecDeque<(Scope, Vec<Period>)>) -> Result<()> {
        while !scopes.is_empty() {
            let group = scopes.make_contiguous();
            let group =
                group.get(..merge::fitting(group.iter().map(|(_, periods)| bytes(periods)), BYTES)).unwrap_or(group);
            let step = self.store.reading(|tx| merge::absorb(tx, self.generation, group))?;
            let mut done = 0;
            for (_, outcome) in step.outcomes {
                match outcome {
                    Outcome::Whole => done += 1,
                    Outcome::Later => {}
                    Outcome::Unreadable(row) => return Err(Error::internal(row)),
                }
            }
            if !write(self.lease, &step.plan, &mut self.merged)? {
                return Err(lost());
            }
            // The scopes that are left for later are the last of the group.
            scopes.drain(..done);
        }
        Ok(())
    }
}

fn bytes(periods: &[Period]) -> u64 {
    periods.iter().flat_map(|period| period.halves.iter()).map(|half| half.payload.len() as u64).sum()
}
