//! The runs of a period, merged by size.
//!
//! A new run takes in every older one of at most twice its size, and again with the size it has then. So each
//! run is more than twice as large as the next smaller one: a period has O(log n) of them. And a byte that is
//! written again goes into a run that is larger by half at least, unless the sets overlap and the whole got no
//! longer: so it is written O(log n) times.
//!
//! Many periods go through this at once, in rounds: each round reads what each of them takes in next, in few
//! statements. There are few rounds, as a run more than doubles in most of them.

use std::borrow::Cow;
use std::collections::{BTreeMap, HashMap};
use std::fmt::Display;

use trailkeeper_domain::Result;
use trailkeeper_domain::ports::{ReadTx, SheetKey, SheetPeriod};
use trailkeeper_domain::scope::Scope;

use super::{Outcome, Period, Plan, Step, fitting};
use crate::engine::sheet_row;
use crate::sheet::{Facet, Fold};

/// About how many bytes a plan may come to write, unless it is about one scope.
const PLANNED: u64 = 4 * 1024 * 1024;
/// About how many bytes of old runs are in memory at once, unless they are of one period.
const READ: u64 = 4 * 1024 * 1024;

/// A period and its new run.
struct Growing<'a> {
    period: SheetPeriod,
    payload: Cow<'a, [u8]>,
    /// The runs that are not taken in, and their lengths.
    standing: Vec<(SheetKey, u64)>,
    taken: Vec<SheetKey>,
}

/// Plans what must be written so that the sheets of these scopes in `generation` count what these periods bring too.
pub fn absorb(tx: &mut dyn ReadTx, generation: i64, additions: &[(Scope, Vec<Period>)]) -> Result<Step> {
    let mut growing = found(tx, generation, additions)?;
    let sizes: Vec<u64> = growing.iter().map(|(_, periods)| periods.iter().map(Growing::bound).sum()).collect();
    let later = growing.split_off(fitting(sizes.into_iter(), PLANNED).min(growing.len()));

    let mut plan = Plan::new(generation);
    let mut unreadable = BTreeMap::new();
    let mut outcomes: Vec<(Scope, Outcome)> = growing.iter().map(|(scope, _)| (*scope, Outcome::Whole)).collect();
    let mut open: Vec<Growing<'_>> = growing.into_iter().flat_map(|(_, periods)| periods).collect();
    while !open.is_empty() {
        let mut hungry = Vec::new();
        for mut period in open {
            let bite = period.bite();
            if bite.is_empty() {
                let run = period.period.run(period.next());
                plan.replace(period.taken, run, period.payload.into_owned());
            } else {
                hungry.push((period, bite));
            }
        }
        open = grown(tx, &mut plan, hungry, &mut unreadable)?;
    }
    for (scope, outcome) in &mut outcomes {
        if let Some(row) = unreadable.remove(scope) {
            plan.forget(*scope);
            *outcome = Outcome::Unreadable(row);
        }
    }
    outcomes.extend(later.into_iter().map(|(scope, _)| (scope, Outcome::Later)));
    Ok(Step { plan, outcomes })
}

/// The periods with the runs that they have.
fn found<'a>(
    tx: &mut dyn ReadTx,
    generation: i64,
    additions: &'a [(Scope, Vec<Period>)],
) -> Result<Vec<(Scope, Vec<Growing<'a>>)>> {
    let new = |(scope, periods): &'a (Scope, Vec<Period>)| {
        (*scope, periods.iter().flat_map(|period| halves(*scope, period)).collect())
    };
    let mut growing: Vec<(Scope, Vec<Growing<'a>>)> = additions.iter().map(new).collect();
    let periods: Vec<SheetPeriod> =
        growing.iter().flat_map(|(_, periods)| periods.iter().map(|period| period.period)).collect();
    let mut standing: HashMap<SheetPeriod, Vec<(SheetKey, u64)>> = HashMap::new();
    for (key, bytes) in tx.runs(generation, &periods)? {
        standing.entry(key.period()).or_default().push((key, bytes));
    }
    for period in growing.iter_mut().flat_map(|(_, periods)| periods) {
        period.standing = standing.remove(&period.period).unwrap_or_default();
    }
    Ok(growing)
}

fn halves(scope: Scope, period: &Period) -> impl Iterator<Item = Growing<'_>> {
    let Period { level, start, halves } = period;
    halves.iter().map(move |half| Growing {
        period: SheetPeriod { scope, level: *level, part: half.part, start: *start },
        payload: Cow::Borrowed(&half.payload),
        standing: Vec::new(),
        taken: Vec::new(),
    })
}

/// Lets each period take in the runs beside it; those of scopes with an unreadable row are dropped.
fn grown<'a>(
    tx: &mut dyn ReadTx,
    plan: &mut Plan,
    hungry: Vec<(Growing<'a>, Vec<(SheetKey, u64)>)>,
    unreadable: &mut BTreeMap<Scope, String>,
) -> Result<Vec<Growing<'a>>> {
    let mut fed = Vec::with_capacity(hungry.len());
    let mut rest = hungry.into_iter().peekable();
    while rest.peek().is_some() {
        let (mut some, mut keys, mut bytes) = (Vec::new(), Vec::new(), 0);
        while let Some((period, bite)) = rest.next_if(|(_, bite)| bytes == 0 || bytes + total(bite) <= READ) {
            bytes += total(&bite).max(1);
            keys.extend(bite.iter().map(|(key, _)| *key));
            some.push((period, bite));
        }
        let mut payloads = tx.sheets_by_key(plan.generation(), &keys)?;
        plan.has_read(payloads.values().map(|payload| payload.len() as u64).sum());
        for (mut period, bite) in some {
            match period.eat(&bite, &mut payloads) {
                Ok(()) => fed.push(period),
                Err(row) => drop(unreadable.entry(period.period.scope).or_insert(row)),
            }
        }
    }
    fed.retain(|period| !unreadable.contains_key(&period.period.scope));
    Ok(fed)
}

fn total(runs: &[(SheetKey, u64)]) -> u64 {
    runs.iter().map(|(_, bytes)| bytes).sum()
}

impl Growing<'_> {
    /// Takes the runs that go into the new one next out of those that stand.
    fn bite(&mut self) -> Vec<(SheetKey, u64)> {
        let most = self.payload.len() as u64 * 2;
        let (bite, standing) = std::mem::take(&mut self.standing).into_iter().partition(|(_, bytes)| *bytes <= most);
        self.standing = standing;
        bite
    }

    /// How many bytes the new run has at most when it has taken in all that it will: a union is hardly longer than
    /// its parts together.
    fn bound(&self) -> u64 {
        let mut lengths: Vec<u64> = self.standing.iter().map(|(_, bytes)| *bytes).collect();
        lengths.sort_unstable();
        let new = self.payload.len() as u64;
        lengths.into_iter().fold(new, |bound, bytes| if bytes <= bound * 2 { bound + bytes } else { bound })
    }

    /// The number of the new run: greater than those of all runs that stand or are taken in, so that it never had
    /// another content. By induction they are greater than those of all runs that ever were, as only a merge removes
    /// runs, and puts a greater one there.
    ///
    /// Databases hold 31 bits: enough for a merge of the same period each second for 68 years. A number beyond is
    /// refused by the store rather than used again, and the next generation begins with 0.
    fn next(&self) -> u32 {
        let used = self.standing.iter().map(|(key, _)| key).chain(&self.taken);
        used.map(|key| key.run.saturating_add(1)).max().unwrap_or_default()
    }

    fn eat(&mut self, bite: &[(SheetKey, u64)], payloads: &mut HashMap<SheetKey, Vec<u8>>) -> Result<(), String> {
        let mut fold = Fold::new(&Facet::ALL);
        // Written by this very program a moment ago: it does not fail.
        fold.add(&self.payload).map_err(|error| unreadable(self.period.run(0), &error))?;
        for (key, _) in bite {
            let old = payloads.remove(key).ok_or_else(|| unreadable(*key, &"it is listed and yet not there"))?;
            fold.add(&old).map_err(|error| unreadable(*key, &error))?;
            self.taken.push(*key);
        }
        self.payload = Cow::Owned(fold.into_sheet().encode());
        Ok(())
    }
}

fn unreadable(key: SheetKey, wrong: &dyn Display) -> String {
    format!("{}: {wrong}", sheet_row(key))
}
