//! One run of the merger: continues the passes that were left, then merges everything that waits, in bounded steps.
//!
//! A pass merges the events of some deltas into the sheets and runs of all of their scopes, group after group:
//!
//! ```text
//! deltas, at most 65,536 events ─► group 1: sheets and runs, claim, marks ─► group 2: sheets and runs, marks ─► …
//!                                    ─► group n: sheets and runs, deltas, marks and claim away ─► larger merges of runs
//! ```
//!
//! Each group is one transaction. From then on, readers of its scopes leave the claimed deltas out. So every snapshot
//! has each event of a scope once, whatever happens between two groups. If there is one group, nothing is claimed.

use std::collections::{BTreeSet, HashSet, VecDeque};

use trailkeeper_domain::clock::{Clock, Entropy};
use trailkeeper_domain::ports::{MergePass, Store, WriteTx};
use trailkeeper_domain::scope::Scope;
use trailkeeper_domain::{Error, Result};
use trailkeeper_postings::delta::Delta;

use super::merged::{LeftOut, Merged};
use crate::engine::buckets::buckets_of;
use crate::engine::delta;
use crate::engine::lease::{Lease, LeaseWatch};
use crate::engine::merge::{self, Claim, Outcome, Plan, Step};
use crate::engine::postings::{ABSORBED, NewRuns, Place, by_place, compact, remove_replaced_pages, sweep_pages};

/// The most deltas of a pass.
const DELTAS: usize = 4_096;
/// The most events of a pass, unless it has one delta: bounds the memory of the addition to everyone's sheets.
const EVENTS: u64 = 1 << 16;
/// The most bytes of the deltas of a pass, unless it has one delta.
const BYTES: u64 = 4 << 20;

/// Merges everything that waits in all buckets, on the caller's thread. `None` if another process holds the lease on one.
///
/// Scopes with an unreadable row and unreadable deltas are left as they are, and named in the result.
///
/// # Errors
/// Those of the store.
pub fn run_once(store: &dyn Store, clock: &dyn Clock, entropy: &dyn Entropy) -> Result<Option<Merged>> {
    let mut all = Some(Merged { finished: true, ..Merged::default() });
    for store in buckets_of(store)? {
        let merged = merge_waiting(&store, clock, entropy, &LeaseWatch::default(), HashSet::new(), &|| false)?;
        all = all.zip(merged).map(|(mut all, merged)| {
            all.add(merged);
            all
        });
    }
    Ok(all)
}

/// [`run_once`] in one bucket, without what is left out, until `stopped` returns `true`.
pub(super) fn merge_waiting(
    store: &dyn Store,
    clock: &dyn Clock,
    entropy: &dyn Entropy,
    watch: &LeaseWatch,
    left_out: HashSet<LeftOut>,
    stopped: &dyn Fn() -> bool,
) -> Result<Option<Merged>> {
    let waiting = store.reading(|tx| {
        let passes = tx.merge_passes()?;
        let deltas = left_out.iter().filter(|left_out| matches!(left_out, LeftOut::Delta(_))).count();
        Ok(tx.backlog()?.deltas > deltas as u64
            || passes.iter().any(|pass| !left_out.contains(&LeftOut::Pass(pass.number))))
    })?;
    if !waiting {
        // Without the lease: an idle server must not write.
        return Ok(Some(Merged { finished: true, ..Merged::default() }));
    }
    let Some(lease) = Lease::take(store, clock, entropy, watch)? else {
        return Ok(None);
    };
    lease.beating(|| Pass::new(store, &lease, left_out, stopped).run()).map(Some)
}

/// A run that holds the lease.
pub struct Pass<'a> {
    store: &'a dyn Store,
    lease: &'a Lease<'a>,
    left_out: HashSet<LeftOut>,
    stopped: &'a dyn Fn() -> bool,
    to_compact: BTreeSet<Place>,
}

/// The deltas of one pass.
struct Work {
    /// The number of the pass, once it has claimed its deltas.
    pass: Option<i64>,
    deltas: Vec<i64>,
    /// The scopes that need nothing more.
    merged: HashSet<Scope>,
}

impl<'a> Pass<'a> {
    /// A run that does not try what is in `left_out`. It calls `stopped` between two steps, and ends if that is `true`.
    pub fn new(
        store: &'a dyn Store,
        lease: &'a Lease<'a>,
        left_out: HashSet<LeftOut>,
        stopped: &'a dyn Fn() -> bool,
    ) -> Self {
        Self { store, lease, left_out, stopped, to_compact: BTreeSet::new() }
    }

    /// Merges what waits at the moment.
    pub fn run(mut self) -> Result<Merged> {
        let mut merged = Merged::default();
        if !sweep_pages(self.store, self.lease)? {
            return Ok(merged);
        }
        for MergePass { number, deltas, merged: scopes } in self.store.reading(|tx| tx.merge_passes())? {
            let work = Work { pass: Some(number), deltas, merged: scopes.into_iter().collect() };
            if !self.left_out.contains(&LeftOut::Pass(number)) && !self.merge(work, &mut merged)? {
                return Ok(merged);
            }
        }
        // A bounded number, so that the run ends also if events arrive faster than they are merged.
        let mut left = self.store.reading(|tx| tx.backlog())?.deltas;
        let mut after = i64::MIN;
        while left > 0 {
            let deltas = self.next_deltas(after)?;
            let Some(last) = deltas.last() else { break };
            after = *last;
            left = left.saturating_sub(deltas.len() as u64);
            if !self.merge(Work { pass: None, deltas, merged: HashSet::new() }, &mut merged)? {
                return Ok(merged);
            }
        }
        merged.finished = self.compact(&mut merged)?;
        Ok(merged)
    }

    /// Merges the runs that were too large to be absorbed by new ones; `false` if it was stopped.
    fn compact(&mut self, merged: &mut Merged) -> Result<bool> {
        while let Some(place) = self.to_compact.pop_first() {
            if (self.stopped)() {
                return Ok(false);
            }
            let generation = self.store.reading(|tx| tx.generation())?;
            match compact(self.store, self.lease, generation, place) {
                Err(Error::Internal { cause }) => {
                    merged.unreadable.push((LeftOut::Runs(place.0, place.1), cause.to_string()));
                }
                outcome => outcome?,
            }
        }
        Ok(true)
    }

    /// The numbers of the next deltas that fit into one pass.
    fn next_deltas(&self, after: i64) -> Result<Vec<i64>> {
        let limit = DELTAS + self.left_out.len();
        let mut sizes = self.store.reading(|tx| tx.unclaimed_deltas(after, limit))?;
        sizes.retain(|size| !self.left_out.contains(&LeftOut::Delta(size.number)));
        let (mut events, mut bytes) = (0_u64, 0_u64);
        let fitting = sizes.iter().take(DELTAS).take_while(|size| {
            let first = events == 0;
            events = events.saturating_add(size.events.max(1));
            bytes = bytes.saturating_add(size.bytes);
            first || (events <= EVENTS && bytes <= BYTES)
        });
        Ok(fitting.map(|size| size.number).collect())
    }

    /// Merges the deltas of one pass; `false` if it was stopped or the lease is lost.
    fn merge(&mut self, mut work: Work, merged: &mut Merged) -> Result<bool> {
        let payloads = self.store.reading(|tx| tx.deltas_by_number(&work.deltas))?;
        let mut deltas = Vec::with_capacity(payloads.len());
        for (number, payload) in &payloads {
            match Delta::read(payload) {
                Ok(delta) => deltas.push((*number, delta)),
                Err(error) => {
                    let row = delta::unreadable(*number, error).chain().to_string();
                    if let Some(pass) = work.pass {
                        // Its other scopes count this delta already, so the pass needs all of it.
                        merged.unreadable.push((LeftOut::Pass(pass), row));
                        return Ok(true);
                    }
                    merged.unreadable.push((LeftOut::Delta(*number), row));
                    work.deltas.retain(|delta| delta != number);
                }
            }
        }
        merged.bytes_read += payloads.iter().map(|(_, payload)| payload.len() as u64).sum::<u64>();
        if work.deltas.is_empty() {
            return Ok(true);
        }
        self.merge_groups(&mut work, &Claim::of(&deltas), merged)
    }

    fn merge_groups(&mut self, work: &mut Work, claim: &Claim<'_>, merged: &mut Merged) -> Result<bool> {
        let mut queue: VecDeque<Scope> = claim.scopes().filter(|scope| !work.merged.contains(scope)).collect();
        let mut unreadable = Vec::new();
        loop {
            if (self.stopped)() {
                return Ok(false);
            }
            let group: Vec<Scope> = queue.drain(..claim.group_size(queue.iter()).min(queue.len())).collect();
            let Step { plan, outcomes } = self.plan(claim, &group, &mut unreadable)?;
            let mut done = Vec::with_capacity(group.len());
            let mut later = Vec::new();
            for (scope, outcome) in outcomes {
                match outcome {
                    Outcome::Whole => done.push(scope),
                    Outcome::Later => later.push(scope),
                    Outcome::Unreadable(row) => unreadable.push(row),
                }
            }
            // The scopes that were read in vain come first.
            later.into_iter().rev().for_each(|scope| queue.push_front(scope));
            let end = if !queue.is_empty() {
                End::More
            } else if unreadable.is_empty() {
                End::Finished
            } else {
                End::LeftOpen
            };
            let mut runs = self.new_runs(claim, plan.generation(), &done)?;
            if !self.write(work, Group { plan: &plan, runs: &runs, done: &done, end }, merged)? {
                return Ok(false);
            }
            if runs.replace_others() && !remove_replaced_pages(self.store, self.lease)? {
                return Ok(false);
            }
            self.to_compact.append(&mut runs.to_compact);
            for ((scope, month), row) in runs.unreadable {
                self.left_out.insert(LeftOut::Runs(scope, month));
                merged.unreadable.push((LeftOut::Runs(scope, month), row));
            }
            if end != End::More {
                break;
            }
        }
        if let Some(pass) = work.pass {
            merged.unreadable.extend(unreadable.into_iter().map(|row| (LeftOut::Pass(pass), row)));
        }
        Ok(true)
    }

    /// Plans what the group adds to its sheets.
    fn plan(&self, claim: &Claim<'_>, group: &[Scope], unreadable: &mut Vec<String>) -> Result<Step> {
        let mut additions = Vec::with_capacity(group.len());
        for scope in group {
            match claim.addition(*scope) {
                Ok(periods) => additions.push((*scope, periods)),
                Err(error) => unreadable.push(error.chain().to_string()),
            }
        }
        self.store.reading(|tx| {
            let generation = tx.generation()?;
            if additions.is_empty() {
                return Ok(Step { plan: Plan::new(generation), outcomes: Vec::new() });
            }
            merge::absorb(tx, generation, &additions)
        })
    }

    /// The runs of these scopes, if the generation has an index of events.
    fn new_runs(&self, claim: &Claim<'_>, generation: i64, scopes: &[Scope]) -> Result<NewRuns> {
        let older = self.store.reading(|tx| {
            let has_postings = tx.has_postings()? && !scopes.is_empty();
            has_postings.then(|| tx.posting_run_keys(generation, scopes)).transpose()
        })?;
        let Some(older) = older else { return Ok(NewRuns::default()) };
        let mut new = Vec::new();
        for scope in scopes {
            new.extend(claim.runs(*scope)?.into_iter().map(|(month, runs)| ((*scope, month), runs)));
        }
        let kept = self.left_out.iter().filter_map(|left_out| match left_out {
            LeftOut::Runs(scope, month) => Some((*scope, *month)),
            LeftOut::Pass(_) | LeftOut::Delta(_) => None,
        });
        NewRuns::make(self.store, generation, new, &by_place(older), &kept.collect(), ABSORBED)
    }

    /// Writes the sheets and runs of a group in one transaction, with the marks or the end of the pass; `false`, without
    /// writing anything, if the lease is lost.
    fn write(&self, work: &mut Work, group: Group<'_>, merged: &mut Merged) -> Result<bool> {
        let Work { pass, deltas, .. } = work;
        let Group { plan, runs, done, end } = group;
        if plan.is_empty() && done.is_empty() && (end == End::More || end == End::LeftOpen && pass.is_some()) {
            return Ok(true);
        }
        let written = self.lease.writing(|tx| {
            plan.write(tx)?;
            runs.write(tx, plan.generation())?;
            if end == End::Finished {
                return finish(tx, *pass, deltas).map(|()| None);
            }
            let number = match *pass {
                Some(number) => number,
                None => tx.begin_merge_pass(deltas)?,
            };
            tx.mark_merged(number, done)?;
            Ok(Some(number))
        })?;
        let Some(number) = written else { return Ok(false) };
        merged.count(plan, runs);
        if end == End::Finished {
            merged.deltas += deltas.len() as u64;
        }
        *pass = number;
        Ok(true)
    }
}

/// What one transaction writes.
#[derive(Clone, Copy)]
struct Group<'a> {
    plan: &'a Plan,
    runs: &'a NewRuns,
    /// The scopes whose events it has.
    done: &'a [Scope],
    end: End,
}

/// The state of a pass after a group.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum End {
    /// Other scopes follow.
    More,
    /// Nothing follows: all scopes count the deltas.
    Finished,
    /// Nothing follows, but a scope has an unreadable row.
    LeftOpen,
}

fn finish(tx: &mut dyn WriteTx, pass: Option<i64>, deltas: &[i64]) -> Result<()> {
    tx.delete_deltas(deltas)?;
    tx.end_merge_passes(pass.as_slice())
}

/// Executes a plan in one transaction; `false`, without writing anything, if the lease is lost.
pub fn write(lease: &Lease<'_>, plan: &Plan, merged: &mut Merged) -> Result<bool> {
    if plan.is_empty() {
        return Ok(true);
    }
    let written = lease.writing(|tx| plan.write(tx))?;
    if written.is_some() {
        merged.count(plan, &NewRuns::default());
    }
    Ok(written.is_some())
}
