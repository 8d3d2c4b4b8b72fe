//! Plans the merge of waiting deltas.

use std::collections::BTreeMap;

use trailkeeper_domain::ports::{DeltaKey, Pending, ReadTx};
use trailkeeper_domain::scope::Scope;
use trailkeeper_domain::{Error, Result};

use super::{Addition, Outcome, Period, Step, absorb, fitting};
use crate::engine::{delta, delta_row};

/// The most deltas of a scope that are merged at once.
const DELTAS: usize = 4_096;
/// The most bytes of deltas that are merged at once, over all scopes of a group: folded, they take about twenty times as
/// much memory.
const BYTES: usize = 1024 * 1024;

/// The number of these scopes, from the first on, that go into one step.
pub fn group_size<'a>(waiting: impl Iterator<Item = &'a Pending>) -> usize {
    // A backlog that is too long for one step gets a step of its own, which reads its oldest deltas.
    let sizes = waiting.map(|scope| if scope.deltas > DELTAS as u64 { u64::MAX } else { scope.bytes });
    fitting(sizes, BYTES as u64)
}

/// The deltas of one scope that were read so far.
struct Reading {
    scope: Scope,
    addition: Addition,
    keys: Vec<DeltaKey>,
    bytes: usize,
    more: bool,
    unreadable: Option<String>,
}

/// The deltas of a scope, ready to be added.
struct Read {
    periods: Vec<Period>,
    keys: Vec<DeltaKey>,
    bytes: usize,
    more: bool,
}

/// Plans the merge of the oldest deltas of these scopes. The other deltas keep waiting.
pub fn step(tx: &mut dyn ReadTx, scopes: &[Scope]) -> Result<Step> {
    let generation = tx.generation()?;
    let mut read: BTreeMap<Scope, Result<Read, String>> = BTreeMap::new();
    let mut current: Option<Reading> = None;
    let mut enough = false;
    let ended = tx.deltas_of(scopes, &mut |key, payload| {
        // One after the other, so that the folds of a scope are freed before the next one begins.
        let mut reading = match current.take() {
            Some(reading) if reading.scope == key.scope => reading,
            done => {
                read.extend(done.map(Reading::done));
                Reading::new(key.scope)
            }
        };
        reading.add(key, payload);
        // In a group of several scopes all deltas are read: a scope with a long backlog has a group of its own.
        enough = reading.more && scopes.len() == 1;
        current = Some(reading);
        if enough { Err(Error::internal("the step has enough deltas")) } else { Ok(()) }
    });
    // Otherwise the error is the one above, which ended the reading early.
    if !enough {
        ended?;
    }
    read.extend(current.map(Reading::done));

    let mut additions = Vec::new();
    let mut settled = BTreeMap::new();
    let mut unreadable = Vec::new();
    for scope in scopes {
        match read.remove(scope) {
            Some(Ok(read)) => {
                additions.push((*scope, read.periods));
                settled.insert(*scope, (read.keys, read.bytes, read.more));
            }
            Some(Err(row)) => unreadable.push((*scope, Outcome::Unreadable(row))),
            // Another process has merged its deltas.
            None => additions.push((*scope, Vec::new())),
        }
    }
    let mut step = absorb(tx, generation, &additions)?;
    for (scope, outcome) in &mut step.outcomes {
        let Some((keys, bytes, more)) = settled.remove(scope) else { continue };
        if *outcome == Outcome::Whole {
            step.plan.settle(keys);
            step.plan.count_read(bytes as u64);
            if more {
                *outcome = Outcome::Part;
            }
        }
    }
    step.outcomes.extend(unreadable);
    Ok(step)
}

impl Reading {
    fn new(scope: Scope) -> Self {
        let addition = Addition::new(scope.kind());
        Self { scope, addition, keys: Vec::new(), bytes: 0, more: false, unreadable: None }
    }

    fn add(&mut self, key: DeltaKey, payload: &[u8]) {
        self.more |= self.keys.len() >= DELTAS || (self.bytes > 0 && self.bytes + payload.len() > BYTES);
        if self.more || self.unreadable.is_some() {
            return;
        }
        self.bytes += payload.len();
        self.keys.push(key);
        let added = delta::walk(payload, |hour, sheet| self.addition.add(hour, sheet).map_err(Error::internal));
        self.unreadable = added.err().map(|error| format!("{}: {}", delta_row(key), error.chain()));
    }

    fn done(self) -> (Scope, Result<Read, String>) {
        let Self { scope, addition, keys, bytes, more, unreadable } = self;
        let read = match unreadable {
            Some(row) => Err(row),
            None => Ok(Read { periods: addition.into_periods(), keys, bytes, more }),
        };
        (scope, read)
    }
}
