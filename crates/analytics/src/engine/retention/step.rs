//! One step of a removal: some events in the order of storage, in one transaction.

use std::collections::{BTreeMap, BTreeSet};

use trailkeeper_domain::event::EventPosition;
use trailkeeper_domain::id::TenantId;
use trailkeeper_domain::indexed_event::IndexedEvent;
use trailkeeper_domain::ports::{ReadTx, Store};
use trailkeeper_domain::scope::{Level, Scope};
use trailkeeper_domain::time::Timestamp;
use trailkeeper_domain::{Error, Result};

use super::kept::generation_of;
use super::positions::PlaceRuns;
use super::selection::{Selection, Verdict};
use crate::engine::lease::{Lease, lost};
use crate::engine::merge::{self, Addition, Outcome, Period, Plan};
use crate::engine::postings::Place;
use crate::sheet::Fact;

/// The most rows that one statement of a step reads.
const ROWS: usize = 10_000;
/// The number of events that are enough for a step.
const ENOUGH: usize = 4_096;

/// The events of a step, and what is to be written.
pub struct Step {
    now: Timestamp,
    generation: i64,
    selection: Selection,
    events: Vec<(IndexedEvent, usize)>,
    /// The last row that was read; the next step begins after it.
    pub after: i64,
    /// Whether there are no more rows.
    pub is_last: bool,
}

/// What a step did.
#[derive(Debug, PartialEq, Eq)]
pub enum StepOutcome {
    /// It removed this number of events.
    Removed(u64),
    /// Rules or holds were changed meanwhile: nothing was written, and the step has to be planned again.
    Changed,
}

impl Step {
    /// Looks for the next events after `after`.
    pub fn plan(tx: &mut dyn ReadTx, now: Timestamp, after: i64) -> Result<Self> {
        if !tx.has_postings()? {
            return Err(Error::unavailable(
                "the index of events is not complete yet: a server makes it after an upgrade; wait for it, or run `trailkeeper rebuild`",
            ));
        }
        let (generation, selection, last) = (tx.generation()?, Selection::read(tx, now)?, tx.last_seq()?);
        let (mut after, mut events, mut is_last) = (after, Vec::new(), !selection.has_rules());
        while !is_last && events.len() < ENOUGH {
            let mut read = 0;
            tx.indexed_events(after, ROWS, &mut |event| {
                (after, read) = (event.seq, read + 1);
                // The last event stays until another one follows it: numbers are not used again.
                if let (Verdict::Removed(rule), true) = (selection.of(event), event.seq < last) {
                    events.push((*event, rule));
                }
                Ok(())
            })?;
            is_last = read < ROWS;
        }
        Ok(Self { now, generation, selection, events, after, is_last })
    }

    /// Removes the events that are in the runs and sheets of all of their scopes. Others wait to be merged, and for the next
    /// removal.
    ///
    /// # Errors
    /// Those of the store, that of a lost lease, and [`Error::Internal`] with the row or run that is damaged.
    pub fn run(mut self, store: &dyn Store, lease: &Lease<'_>) -> Result<StepOutcome> {
        let places = self.positions(store, lease)?;
        if self.events.is_empty() {
            return Ok(StepOutcome::Removed(0));
        }
        let plans = self.sheets(store)?;
        let seqs: Vec<i64> = self.events.iter().map(|(event, _)| event.seq).collect();
        let used: BTreeSet<usize> = self.events.iter().map(|(_, rule)| *rule).collect();
        let written = lease.writing(|tx| {
            tx.lock_retention()?;
            if Selection::read(tx, self.now)? != self.selection {
                return Ok(StepOutcome::Changed);
            }
            let removed = tx.delete_events(&seqs)?;
            if removed != seqs.len() as u64 {
                let (asked, found) = (seqs.len(), removed);
                return Err(Error::internal(format!("{found} of {asked} events that were to be removed exist")));
            }
            for place in &places {
                place.write(tx, self.generation)?;
            }
            for plan in &plans {
                plan.write(tx)?;
            }
            for rule in &used {
                let (Some(old), Some(cutoff)) = (self.selection.rules.get(*rule), self.selection.cutoff(*rule)) else {
                    return Err(Error::internal("a rule that removes events has no cutoff"));
                };
                let mut rule = old.clone();
                rule.removed_before = rule.removed_before.max(Some(cutoff));
                if rule != *old {
                    tx.put_retention_rule(&rule)?;
                }
            }
            Ok(StepOutcome::Removed(removed))
        })?;
        written.ok_or_else(lost)
    }

    /// Finds the events in the runs, and leaves out those that are not in the runs of all of their scopes.
    fn positions(&mut self, store: &dyn Store, lease: &Lease<'_>) -> Result<Vec<PlaceRuns>> {
        let mut wanted: BTreeMap<Place, Vec<EventPosition>> = BTreeMap::new();
        for (event, _) in &self.events {
            for scope in scopes_of(event) {
                let place = (scope, Level::Month.floor(event.occurred_at));
                wanted.entry(place).or_default().push(event.position());
            }
        }
        let (mut places, mut missing) = (BTreeMap::new(), BTreeSet::new());
        for (place, events) in &wanted {
            lease.keep()?;
            let (runs, found) = PlaceRuns::find(store, self.generation, *place, events)?;
            let found: BTreeSet<i64> = found.into_iter().collect();
            missing.extend(events.iter().map(|at| at.seq).filter(|seq| !found.contains(seq)));
            places.insert(*place, runs);
        }
        if !missing.is_empty() {
            self.events.retain(|(event, _)| !missing.contains(&event.seq));
            for (place, events) in &wanted {
                if events.iter().any(|at| missing.contains(&at.seq)) {
                    let runs = PlaceRuns::without(store, self.generation, *place, events, &missing)?;
                    places.insert(*place, runs);
                }
            }
        }
        Ok(places.into_values().collect())
    }

    /// Adds what the events count to the sheets of removed events.
    fn sheets(&self, store: &dyn Store) -> Result<Vec<Plan>> {
        let mut additions: BTreeMap<i64, BTreeMap<Scope, Addition>> = BTreeMap::new();
        for (event, rule) in &self.events {
            let Some(fact) = event.fact() else { continue };
            let keeps = self.selection.rules.get(*rule).and_then(|rule| rule.keeps);
            let keeps = keeps.ok_or_else(|| Error::internal("a rule that removes events keeps nothing"))?;
            let by_scope = additions.entry(generation_of(&keeps)).or_default();
            for scope in scopes_of(event) {
                let addition = by_scope.entry(scope).or_insert_with(|| Addition::new(scope.kind()));
                addition.add(fact.occurred_at.timestamp_micros(), &Fact::from(&fact))?;
            }
        }
        let mut plans = Vec::new();
        for (generation, by_scope) in additions {
            let mut left: Vec<(Scope, Vec<Period>)> =
                by_scope.into_iter().map(|(scope, addition)| (scope, addition.into_periods())).collect();
            while !left.is_empty() {
                let step = store.reading(|tx| merge::absorb(tx, generation, &left))?;
                let mut done = 0;
                for (_, outcome) in step.outcomes {
                    match outcome {
                        Outcome::Whole => done += 1,
                        Outcome::Later => {}
                        Outcome::Unreadable(row) => return Err(Error::internal(row)),
                    }
                }
                plans.push(step.plan);
                left.drain(..done);
            }
        }
        Ok(plans)
    }
}

/// The scopes whose runs have an event. No scope of the system tenant has runs or sheets.
fn scopes_of(event: &IndexedEvent) -> impl Iterator<Item = Scope> {
    let tenant = (event.tenant_id != TenantId::SYSTEM).then_some(Scope::Tenant(event.tenant_id));
    std::iter::once(Scope::Everyone).chain(tenant)
}
