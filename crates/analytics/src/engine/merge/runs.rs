//! Merges the runs of a period by size.
//!
//! A new run absorbs every older run of at most twice its size, repeatedly with its growing size. So each run is more
//! than twice as large as the next smaller one, and a period has O(log n) runs. A byte that is written again goes into a
//! run that is larger by at least half, unless the sets overlap and the union got no longer: so each byte is written
//! O(log n) times.
//!
//! Many periods are merged at once, in rounds: each round reads the runs that each period absorbs next, with few
//! statements. There are few rounds, because a run more than doubles in most of them.

use std::borrow::Cow;
use std::collections::{BTreeMap, HashMap};
use std::fmt::Display;

use trailkeeper_domain::Result;
use trailkeeper_domain::ports::{ReadTx, SheetKey, SheetPeriod};
use trailkeeper_domain::scope::Scope;

use super::{Outcome, Period, Plan, Step, fitting};
use crate::engine::sheet_row;
use crate::sheet::{Facet, Fold};

/// About the most bytes that a plan writes, unless it is about one scope.
const PLANNED: u64 = 4 * 1024 * 1024;
/// About the most bytes of old runs that are in memory at once, unless they are of one period.
const READ: u64 = 4 * 1024 * 1024;

/// A run with the length of its payload in bytes.
type SizedRun = (SheetKey, u64);

/// The new run of a period, while it absorbs older ones.
struct NewRun<'a> {
    period: SheetPeriod,
    payload: Cow<'a, [u8]>,
    /// The older runs that it has not absorbed.
    older: Vec<SizedRun>,
    absorbed: Vec<SheetKey>,
}

/// Plans the rows that add these periods to the sheets of their scopes in `generation`.
pub fn absorb(tx: &mut dyn ReadTx, generation: i64, additions: &[(Scope, Vec<Period>)]) -> Result<Step> {
    let mut scopes = new_runs(tx, generation, additions)?;
    let sizes: Vec<u64> = scopes.iter().map(|(_, runs)| runs.iter().map(NewRun::bound).sum()).collect();
    let later = scopes.split_off(fitting(sizes.into_iter(), PLANNED).min(scopes.len()));

    let mut plan = Plan::new(generation);
    let mut unreadable = BTreeMap::new();
    let mut outcomes: Vec<(Scope, Outcome)> = scopes.iter().map(|(scope, _)| (*scope, Outcome::Whole)).collect();
    let mut open: Vec<NewRun<'_>> = scopes.into_iter().flat_map(|(_, runs)| runs).collect();
    while !open.is_empty() {
        let mut absorbing = Vec::new();
        for mut run in open {
            let next = run.take_absorbable();
            if next.is_empty() {
                let key = run.period.run(run.number());
                plan.replace(run.absorbed, key, run.payload.into_owned());
            } else {
                absorbing.push((run, next));
            }
        }
        open = absorb_all(tx, &mut plan, absorbing, &mut unreadable)?;
    }
    for (scope, outcome) in &mut outcomes {
        if let Some(row) = unreadable.remove(scope) {
            plan.leave_out(*scope);
            *outcome = Outcome::Unreadable(row);
        }
    }
    outcomes.extend(later.into_iter().map(|(scope, _)| (scope, Outcome::Later)));
    Ok(Step { plan, outcomes })
}

/// The new runs of all periods and halves, with the older runs of the database.
fn new_runs<'a>(
    tx: &mut dyn ReadTx,
    generation: i64,
    additions: &'a [(Scope, Vec<Period>)],
) -> Result<Vec<(Scope, Vec<NewRun<'a>>)>> {
    let new = |(scope, periods): &'a (Scope, Vec<Period>)| {
        (*scope, periods.iter().flat_map(|period| halves(*scope, period)).collect())
    };
    let mut scopes: Vec<(Scope, Vec<NewRun<'a>>)> = additions.iter().map(new).collect();
    let periods: Vec<SheetPeriod> = scopes.iter().flat_map(|(_, runs)| runs.iter().map(|run| run.period)).collect();
    let mut older: HashMap<SheetPeriod, Vec<SizedRun>> = HashMap::new();
    for (key, bytes) in tx.runs(generation, &periods)? {
        older.entry(key.period()).or_default().push((key, bytes));
    }
    for run in scopes.iter_mut().flat_map(|(_, runs)| runs) {
        run.older = older.remove(&run.period).unwrap_or_default();
    }
    Ok(scopes)
}

fn halves(scope: Scope, period: &Period) -> impl Iterator<Item = NewRun<'_>> {
    let Period { level, start, halves } = period;
    halves.iter().map(move |half| NewRun {
        period: SheetPeriod { scope, level: *level, part: half.part, start: *start },
        payload: Cow::Borrowed(&half.payload),
        older: Vec::new(),
        absorbed: Vec::new(),
    })
}

/// Lets each new run absorb the older runs next to it. New runs of scopes with an unreadable row are dropped.
fn absorb_all<'a>(
    tx: &mut dyn ReadTx,
    plan: &mut Plan,
    absorbing: Vec<(NewRun<'a>, Vec<SizedRun>)>,
    unreadable: &mut BTreeMap<Scope, String>,
) -> Result<Vec<NewRun<'a>>> {
    let mut grown = Vec::with_capacity(absorbing.len());
    let mut rest = absorbing.into_iter().peekable();
    while rest.peek().is_some() {
        let (mut some, mut keys, mut bytes) = (Vec::new(), Vec::new(), 0);
        while let Some((run, older)) = rest.next_if(|(_, older)| bytes == 0 || bytes + total(older) <= READ) {
            bytes += total(&older).max(1);
            keys.extend(older.iter().map(|(key, _)| *key));
            some.push((run, older));
        }
        let mut payloads = tx.sheets_by_key(plan.generation(), &keys)?;
        plan.count_read(payloads.values().map(|payload| payload.len() as u64).sum());
        for (mut run, older) in some {
            match run.absorb(&older, &mut payloads) {
                Ok(()) => grown.push(run),
                Err(row) => drop(unreadable.entry(run.period.scope).or_insert(row)),
            }
        }
    }
    grown.retain(|run| !unreadable.contains_key(&run.period.scope));
    Ok(grown)
}

fn total(runs: &[SizedRun]) -> u64 {
    runs.iter().map(|(_, bytes)| bytes).sum()
}

impl NewRun<'_> {
    /// Removes from the older runs those that the new one absorbs next, and returns them.
    fn take_absorbable(&mut self) -> Vec<SizedRun> {
        let limit = self.payload.len() as u64 * 2;
        let (absorbable, older) = std::mem::take(&mut self.older).into_iter().partition(|(_, bytes)| *bytes <= limit);
        self.older = older;
        absorbable
    }

    /// About the most bytes of the new run after it has absorbed all that it will: a union is hardly longer than its
    /// parts together.
    fn bound(&self) -> u64 {
        let mut lengths: Vec<u64> = self.older.iter().map(|(_, bytes)| *bytes).collect();
        lengths.sort_unstable();
        let new = self.payload.len() as u64;
        lengths.into_iter().fold(new, |bound, bytes| if bytes <= bound * 2 { bound + bytes } else { bound })
    }

    /// The number of the new run: greater than those of all older runs of the period, absorbed or not, so that no run
    /// with this number ever had another content. By induction it is greater than those of all runs that ever existed:
    /// only a merge removes runs, and it adds a run with a greater number.
    ///
    /// Databases store 31 bits: enough for a merge of the same period each second for 68 years. The store rejects a
    /// greater number instead of reusing one, and the next generation begins with 0.
    fn number(&self) -> u32 {
        let used = self.older.iter().map(|(key, _)| key).chain(&self.absorbed);
        used.map(|key| key.run.saturating_add(1)).max().unwrap_or_default()
    }

    /// Adds the payloads of older runs; the error names the row that is unreadable.
    fn absorb(&mut self, older: &[SizedRun], payloads: &mut HashMap<SheetKey, Vec<u8>>) -> Result<(), String> {
        let mut fold = Fold::new(&Facet::ALL);
        // This program has just encoded it: it does not fail.
        fold.add(&self.payload).map_err(|error| unreadable(self.period.run(0), &error))?;
        for (key, _) in older {
            let old = payloads.remove(key).ok_or_else(|| unreadable(*key, &"it is listed but missing"))?;
            fold.add(&old).map_err(|error| unreadable(*key, &error))?;
            self.absorbed.push(*key);
        }
        self.payload = Cow::Owned(fold.into_sheet().encode());
        Ok(())
    }
}

fn unreadable(key: SheetKey, wrong: &dyn Display) -> String {
    format!("{}: {wrong}", sheet_row(key))
}
