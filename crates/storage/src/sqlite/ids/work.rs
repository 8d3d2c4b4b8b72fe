//! The background work on ids: which step is due, and its effect after the commit.
//!
//! Steps are transactions of their own, which the writer runs after those that store events, and which housekeeping runs
//! while no events come. Each takes some milliseconds. A merge may take as many entries per new event as
//! [`ENTRIES_PER_EVENT`]: each level of merges then ends before the next one of its level begins.

use std::ops::Range;
use std::sync::Arc;

use diesel::result::QueryResult;

use super::super::Conn;
use super::backfill::backfill;
use super::build::Written;
use super::filter::Filter;
use super::flush::flush;
use super::load::load;
use super::merge::{self, Merge, Merged};
use super::recent::Recent;
use super::rows;
use super::run::{Run, RunKey};
use super::state::{Ids, Jobs, Known};
use super::sweep::sweep;
use crate::hash_key::HashKey;

/// The entries that a merge may take for each new event.
const ENTRIES_PER_EVENT: usize = 2;
/// The pages whose keys one step adds to a filter: about ten milliseconds. Until the filter of a run is complete, each new
/// id reads a page of the run, so few steps are better than short ones.
const FILTERED_AT_ONCE: usize = 256;
/// The new ids after which another step for filters, removed pages and so on is due.
const STEP_EVERY: usize = 256;

/// When steps are due.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Pace {
    /// As many as the new ids require.
    AfterCommit,
    /// All.
    Idle,
}

/// A step.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Step {
    /// Read what is known.
    Load,
    /// Make a run of the ids in memory.
    Flush,
    /// Continue the merge with this index.
    Merge(usize),
    /// Continue the filter of a run.
    Filter,
    /// Remove pages that are not needed any more.
    Sweep,
    /// Make a run of events of an older version.
    Backfill,
}

/// The effect of a step once it is committed.
#[derive(Debug)]
pub enum Done {
    Nothing,
    /// What is known was read.
    Loaded,
    /// Everything has to be read again.
    Forget,
    Flushed(Written),
    Merged(Merge, Merged),
}

impl Ids {
    /// Counts new ids, for which steps become due.
    pub fn earn(&self, new: usize) {
        let mut jobs = self.jobs.lock();
        jobs.credit = jobs.credit.saturating_add(new);
        for merge in &mut jobs.merges {
            merge.credit = merge.credit.saturating_add(new.saturating_mul(ENTRIES_PER_EVENT));
        }
    }

    /// The next step that is due.
    pub fn due(&self, pace: Pace) -> Option<Step> {
        let known = self.known.read();
        let Some(known) = known.as_ref() else {
            return (pace == Pace::Idle).then_some(Step::Load);
        };
        let mut jobs = self.jobs.lock();
        if !known.indexed && known.recent.len() >= self.in_memory {
            return Some(Step::Flush);
        }
        let ready = jobs.merges.iter().position(|merge| pace == Pace::Idle || merge.credit >= self.in_memory);
        if let Some(at) = ready {
            return Some(Step::Merge(at));
        }
        if pace == Pace::AfterCommit && jobs.credit < STEP_EVERY.min(self.in_memory) {
            return None;
        }
        jobs.credit = 0;
        if !known.indexed && (jobs.filter.is_some() || known.runs.iter().any(|run| run.filter.get().is_none())) {
            return Some(Step::Filter);
        }
        if !jobs.swept || !jobs.garbage.is_empty() {
            return Some(Step::Sweep);
        }
        (pace == Pace::Idle && known.indexed).then_some(Step::Backfill)
    }

    /// Takes a step in the writer's transaction.
    pub fn take(&self, conn: &mut Conn, hash: &HashKey, step: Step) -> QueryResult<Done> {
        load(conn, self, hash)?;
        let known = self.known.read();
        let Some(known) = known.as_ref() else { return Ok(Done::Nothing) };
        match step {
            Step::Load => Ok(Done::Loaded),
            Step::Flush if known.indexed || known.recent.len() == 0 => Ok(Done::Nothing),
            Step::Flush => {
                let run = self.next_run(conn)?;
                flush(conn, run, known, self.filter_budget()).map(Done::Flushed)
            }
            Step::Merge(at) => self.merge(conn, at),
            Step::Filter => self.filter(conn, known),
            Step::Sweep => sweep(conn, &mut self.jobs.lock()).map(|()| Done::Nothing),
            Step::Backfill if known.indexed => backfill(conn, self, hash).map(|()| Done::Forget),
            Step::Backfill => Ok(Done::Nothing),
        }
    }

    /// Records the effect of a step that was committed.
    pub fn done(&self, done: Done) {
        match done {
            Done::Nothing => return,
            Done::Loaded => {}
            Done::Forget => return self.forget(),
            Done::Flushed(written) => {
                if let Some(known) = self.known.write().as_mut() {
                    known.recent = Recent::new(written.run.key.last_seq, []);
                    known.runs.push(Arc::new(written.run));
                }
            }
            Done::Merged(merge, Merged::InPart) => return self.jobs.lock().merges.push(merge),
            Done::Merged(merge, Merged::Void) => self.jobs.lock().garbage.extend(merge.output()),
            Done::Merged(merge, Merged::Into(written)) => {
                if let Some(known) = self.known.write().as_mut() {
                    known.runs.retain(|run| !merge.inputs().any(|input| *input == run.key));
                    known.runs.push(Arc::new(written.run));
                    known.runs.sort_unstable_by_key(|run| run.key.after_seq);
                }
                self.jobs.lock().garbage.extend(merge.inputs().map(|input| input.run));
            }
        }
        let known = self.known.read();
        if let Some(known) = known.as_ref() {
            self.keep(&known.runs);
            let jobs = &mut self.jobs.lock().merges;
            let smallest = i64::try_from(self.in_memory).unwrap_or(i64::MAX);
            let new =
                merge::due(&known.runs, |key| jobs.iter().any(|merge| merge.inputs().any(|i| i == key)), smallest);
            jobs.extend(new);
        }
    }

    /// Records that a step failed, or that its commit did: what is known is read again, and merges begin again.
    pub fn failed(&self) {
        *self.jobs.lock() = Jobs::default();
        self.forget();
    }

    fn merge(&self, conn: &mut Conn, at: usize) -> QueryResult<Done> {
        let budget = self.filter_budget();
        let mut jobs = self.jobs.lock();
        if at >= jobs.merges.len() {
            return Ok(Done::Nothing);
        }
        // If the step fails, the merge is lost and its pages are swept.
        let mut merge = jobs.merges.swap_remove(at);
        drop(jobs);
        let run = self.next_run(conn)?;
        let merged = merge.step(conn, run, self.in_memory, budget)?;
        Ok(Done::Merged(merge, merged))
    }

    /// Makes the filters that are missing, from the pages of one snapshot of a reader. A store that was opened has none,
    /// and until it has them, each new id reads a page of every run.
    pub fn make_filters(&self, conn: &mut Conn) -> QueryResult<()> {
        for key in rows::runs(conn)? {
            let run = self.run(conn, key)?;
            if run.filter.get().is_some() {
                continue;
            }
            let mut filter = Filter::new(key.ids.cast_unsigned(), self.filter_budget());
            add_pages(conn, key, 0..usize::try_from(key.pages).unwrap_or(0), &mut filter)?;
            // The writer may have made the same one meanwhile.
            drop(run.filter.set(filter));
        }
        Ok(())
    }

    /// Adds the keys of the next pages of a run to its filter.
    fn filter(&self, conn: &mut Conn, known: &Known) -> QueryResult<Done> {
        let mut jobs = self.jobs.lock();
        let is_wanted = |run: &Arc<Run>| known.runs.iter().any(|known| Arc::ptr_eq(known, run));
        let begun = jobs.filter.take().filter(|(run, ..)| is_wanted(run) && run.filter.get().is_none());
        let next = begun.or_else(|| {
            let run = known.runs.iter().find(|run| run.filter.get().is_none())?;
            let filter = Filter::new(run.key.ids.cast_unsigned(), self.filter_budget());
            Some((Arc::clone(run), filter, 0))
        });
        let Some((run, mut filter, first)) = next else { return Ok(Done::Nothing) };
        let pages = usize::try_from(run.key.pages).unwrap_or(0);
        let end = first.saturating_add(FILTERED_AT_ONCE).min(pages);
        add_pages(conn, run.key, first..end, &mut filter)?;
        if end == pages {
            // A reader may have made the same one meanwhile.
            drop(run.filter.set(filter));
        } else {
            jobs.filter = Some((run, filter, end));
        }
        Ok(Done::Nothing)
    }
}

/// Adds the keys of some pages of a run to its filter.
fn add_pages(conn: &mut Conn, run: RunKey, pages: Range<usize>, filter: &mut Filter) -> QueryResult<()> {
    for at in pages {
        rows::page(conn, run.run, at)?.iter().for_each(|entry| filter.insert(entry.key));
    }
    Ok(())
}
