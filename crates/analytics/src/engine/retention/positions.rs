//! The positions of events in the runs of the index.

use std::collections::{BTreeMap, BTreeSet};

use trailkeeper_domain::event::{EventPosition, Outcome};
use trailkeeper_domain::id::{EnvId, TenantId};
use trailkeeper_domain::indexed_event::IndexedEvent;
use trailkeeper_domain::ports::{PostingRun, PostingRunKey, Store, WriteTx};
use trailkeeper_domain::scope::{Level, Scope};
use trailkeeper_domain::{Error, Result};
use trailkeeper_postings::positions::PositionSet;
use trailkeeper_postings::run::{RunBuilder, RunReader, encode_removed};
use trailkeeper_postings::segment::Segment as _;

use crate::engine::postings::{Place, StoredPages, run_name};

/// The runs of one scope and month, and the positions to remove.
pub struct PlaceRuns {
    place: Place,
    runs: Vec<RunPositions>,
}

struct RunPositions {
    key: PostingRunKey,
    events: u32,
    removed: BTreeSet<u32>,
    changed: bool,
}

impl PlaceRuns {
    /// Reads the runs of a place.
    ///
    /// # Errors
    /// Those of the store; [`Error::Internal`] with the run for a damaged one.
    pub fn find(
        store: &dyn Store,
        generation: i64,
        place: Place,
        events: &[EventPosition],
    ) -> Result<(Self, Vec<i64>)> {
        let (scope, month) = place;
        let stored = store.reading(|tx| tx.posting_runs(generation, scope, Level::Month.range(month)))?;
        let mut left: BTreeMap<(i64, i64), EventPosition> =
            events.iter().map(|at| ((at.occurred_at.timestamp_micros(), at.seq), *at)).collect();
        let (mut runs, mut found) = (Vec::with_capacity(stored.len()), Vec::with_capacity(events.len()));
        for PostingRun { key, events, header, removed } in stored {
            let pages = StoredPages::new(store, generation, key);
            let mut reader = RunReader::open(&header, removed.as_deref(), pages)?;
            let mut positions =
                RunPositions { key, events, removed: reader.removed()?.iter().collect(), changed: false };
            for (at, event) in std::mem::take(&mut left) {
                let rank = reader.rank(event)?;
                let is_here = rank < events
                    && reader.keys(&[rank])?.first().is_some_and(|key| *key == event)
                    && positions.removed.insert(rank);
                if is_here {
                    positions.changed = true;
                    found.push(event.seq);
                } else {
                    left.insert(at, event);
                }
            }
            runs.push(positions);
        }
        Ok((Self { place, runs }, found))
    }

    /// Removes the positions of these events again: they are not in all of their scopes.
    ///
    /// # Errors
    /// Those of [`Self::find`].
    pub fn without(
        store: &dyn Store,
        generation: i64,
        place: Place,
        events: &[EventPosition],
        left_out: &BTreeSet<i64>,
    ) -> Result<Self> {
        let events: Vec<EventPosition> = events.iter().filter(|at| !left_out.contains(&at.seq)).copied().collect();
        Self::find(store, generation, place, &events).map(|(runs, _)| runs)
    }

    /// Writes the removed positions. Runs without any event left go, as far as the numbers of runs allow.
    ///
    /// # Errors
    /// Those of the store.
    pub fn write(&self, tx: &mut dyn WriteTx, generation: i64) -> Result<()> {
        let newest = self.runs.iter().map(|run| run.key.run).max();
        let is_empty = |run: &RunPositions| run.removed.len() as u64 == u64::from(run.events);
        if self.runs.iter().all(is_empty) {
            return self.replace_all(tx, generation, newest);
        }
        let mut gone = Vec::new();
        for run in self.runs.iter().filter(|run| run.changed) {
            if is_empty(run) && Some(run.key.run) != newest {
                gone.push(run.key);
                continue;
            }
            let removed = PositionSet::Sparse(run.removed.iter().copied().collect());
            if !tx.put_removed_positions(generation, run.key, &encode_removed(&removed))? {
                return Err(Error::internal(format!("{} is listed but missing", run_name(run.key))));
            }
        }
        if gone.is_empty() { Ok(()) } else { tx.delete_posting_runs(generation, &gone) }
    }

    /// Puts a run whose only position is removed in the place of all runs: it holds the number that the next run must
    /// exceed, because servers cache runs by their numbers.
    fn replace_all(&self, tx: &mut dyn WriteTx, generation: i64, newest: Option<u32>) -> Result<()> {
        let Some(newest) = newest.filter(|_| self.runs.iter().any(|run| run.changed)) else { return Ok(()) };
        let (scope, month) = self.place;
        let run = newest.checked_add(1).ok_or_else(|| Error::internal("the numbers of runs are used up"))?;
        let mut builder = RunBuilder::new(scope);
        builder.add(&nothing(scope, self.place))?;
        let header = builder.finish(&mut |_, _| Err(Error::internal("a run of one event has pages")))?;
        let removed = Some(encode_removed(&PositionSet::Sparse(vec![0])));
        let key = PostingRunKey { scope, month, run };
        tx.put_posting_runs(generation, &[PostingRun { key, events: 1, header, removed }])?;
        let keys: Vec<PostingRunKey> = self.runs.iter().map(|run| run.key).collect();
        tx.delete_posting_runs(generation, &keys)
    }
}

/// An event that never was.
fn nothing(scope: Scope, (_, month): Place) -> IndexedEvent {
    let tenant_id = match scope {
        Scope::Tenant(tenant) => tenant,
        Scope::Everyone => TenantId::NONE,
    };
    IndexedEvent {
        seq: 0,
        occurred_at: month,
        tenant_id,
        env: EnvId(0),
        kind: 1,
        outcome: Outcome::Unknown,
        user: None,
        source: None,
        page: None,
        other_page: None,
        session: None,
        target_type: None,
        target_id: None,
    }
}
