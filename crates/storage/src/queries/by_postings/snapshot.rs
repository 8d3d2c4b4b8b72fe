//! The events of a scope in the snapshot of a transaction.

use diesel::prelude::*;
use trailkeeper_domain::event::EventPosition;
use trailkeeper_domain::scope::Scope;
use trailkeeper_domain::{Result, time};
use trailkeeper_postings::delta::Delta;
use trailkeeper_postings::query::{Condition, Query, Sources};

use super::super::Tx;
use super::runs::ScopeRuns;
use crate::generation::Generation;
use crate::schema::sheet_generation;

impl Tx<'_> {
    /// The generations whose runs and waiting deltas answer questions about a scope, one of each of its buckets; `None` if
    /// one of them lacks events, so that rows answer.
    ///
    /// This is the place that decides by which of both a question is answered.
    pub(in super::super) fn indexed_generations(&mut self, scope: Scope) -> Result<Option<Vec<Generation>>> {
        let mut generations = Vec::new();
        for bucket in self.buckets_of(scope)? {
            let row = sheet_generation::table.find(bucket.code());
            let row = row.select((sheet_generation::generation, sheet_generation::has_postings));
            let (number, has_postings): (i64, bool) = self.run("sheet_generation", |conn| row.first(conn))?;
            if !has_postings {
                return Ok(None);
            }
            generations.push(Generation { bucket, number });
        }
        Ok(Some(generations))
    }

    /// Lets rows answer until the next generation is current: the runs and the waiting deltas have other values than the
    /// rows.
    pub(in super::super) fn leave_postings(&mut self) -> Result<()> {
        let bucket = self.bucket()?;
        let with_postings = sheet_generation::table.find(bucket.code()).filter(sheet_generation::has_postings.eq(true));
        let without = diesel::update(with_postings).set(sheet_generation::has_postings.eq(false));
        self.run("sheet_generation", |conn| without.execute(conn)).map(drop)
    }

    /// Lets rows answer if the runs do not have the events of these deltas, which are about to be removed: a merge that
    /// writes only sheets must not make events disappear from lists. It looks for the first event.
    pub(in super::super) fn check_runs_have(&mut self, deltas: &[i64]) -> Result<()> {
        let Some(generations) = self.indexed_generations(Scope::Everyone)? else { return Ok(()) };
        let first: Vec<i64> = deltas.iter().min().copied().into_iter().collect();
        for (_, payload) in self.payloads_of_deltas(&first)? {
            let event = Delta::read(&payload).ok().and_then(|delta| delta.sections().next()?.events().next()?.ok());
            let Some(event) = event else { return self.leave_postings() };
            let at = event.position();
            let query = Query::of(Condition::everything()).between(at.occurred_at, time::just_after(at.occurred_at));
            let behind = EventPosition { seq: at.seq.saturating_add(1), ..at };
            let mut runs = ScopeRuns::new(self, &generations, Scope::Everyone, &query)?.without_waiting();
            if Sources::new(&mut runs).newest(&query, Some(behind), 1)? != [at] {
                return self.leave_postings();
            }
        }
        Ok(())
    }

    /// Answers a question about the events of a scope that match `query`.
    pub(super) fn ask<T>(
        &mut self,
        generations: &[Generation],
        scope: Scope,
        query: &Query,
        answer: impl FnOnce(&mut Sources<'_>) -> Result<T>,
    ) -> Result<T> {
        answer(&mut Sources::new(&mut ScopeRuns::new(self, generations, scope, query)?))
    }
}
