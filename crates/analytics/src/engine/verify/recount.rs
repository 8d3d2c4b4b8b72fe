//! Makes the right sheets of one month from its events.

use std::collections::BTreeMap;

use trailkeeper_domain::fact::EventFact;
use trailkeeper_domain::id::TenantId;
use trailkeeper_domain::ports::SheetPeriod;
use trailkeeper_domain::scope::{Level, Scope, ScopeKind};
use trailkeeper_domain::time::Timestamp;
use trailkeeper_domain::{Error, Result};

use crate::engine::merge::halves_of;
use crate::sheet::{Facet, Fact, Fold, SheetBuilder};

/// The most facts that are collected before they are encoded.
const FACTS_AT_ONCE: usize = 1 << 16;

/// Encoded sheets by period.
pub type Sheets = BTreeMap<SheetPeriod, Vec<u8>>;

/// The encoded sheets of a period, which have no event in common.
type Pieces = Vec<Vec<u8>>;

/// Counts the events of a month, in any order. It holds encoded sheets of the shortest periods, and few events.
#[derive(Default)]
pub struct Recount {
    builders: BTreeMap<(Scope, Timestamp), SheetBuilder>,
    collected: usize,
    pieces: BTreeMap<(Scope, Timestamp), Pieces>,
    events: u64,
}

impl Recount {
    /// Counts an event of a tenant, for everyone and for the tenant.
    pub fn add(&mut self, tenant: TenantId, fact: &EventFact) -> Result<()> {
        for scope in [Scope::Everyone, Scope::Tenant(tenant)] {
            let start = scope.kind().finest().floor(fact.occurred_at);
            let builder = self.builders.entry((scope, start)).or_insert_with(|| SheetBuilder::new(scope.kind()));
            builder.add(&Fact::from(fact));
        }
        self.events += 1;
        self.collected += 1;
        if self.collected >= FACTS_AT_ONCE { self.collect() } else { Ok(()) }
    }

    /// The number of events that were counted.
    pub fn events(&self) -> u64 {
        self.events
    }

    /// The sheets of all counted events.
    pub fn finish(mut self) -> Result<Sheets> {
        self.collect()?;
        let mut sheets = Sheets::new();
        let mut tower: Option<Tower> = None;
        // Scope by scope, and each in order of time.
        for ((scope, start), pieces) in self.pieces {
            let mut current = match tower.take() {
                Some(tower) if tower.scope == scope => tower,
                done => {
                    close(done, &mut sheets);
                    Tower::new(scope, start)
                }
            };
            current.close_until(Some(start), &mut sheets);
            current.add(&pieces)?;
            tower = Some(current);
        }
        close(tower, &mut sheets);
        Ok(sheets)
    }

    /// Encodes the collected facts. A piece and an older one of at most twice its size become one, so that a period has
    /// few pieces, and each byte is written a few times.
    fn collect(&mut self) -> Result<()> {
        self.collected = 0;
        for (period, builder) in std::mem::take(&mut self.builders) {
            let mut piece = builder.finish().encode();
            let pieces = self.pieces.entry(period).or_default();
            while let Some(older) = pieces.pop_if(|older| older.len() <= 2 * piece.len()) {
                piece = folded(&[older, piece])?.into_sheet().encode();
            }
            pieces.push(piece);
        }
        Ok(())
    }
}

/// Adds a sheet of other events to the sheets of a recount.
pub fn add(sheets: &mut Sheets, period: SheetPeriod, payload: Vec<u8>) -> Result<()> {
    let sum = match sheets.remove(&period) {
        None => payload,
        Some(counted) => folded(&[counted, payload])?.into_sheet().encode(),
    };
    sheets.insert(period, sum);
    Ok(())
}

/// Closes all periods of a scope.
fn close(tower: Option<Tower>, sheets: &mut Sheets) {
    if let Some(mut tower) = tower {
        tower.close_until(None, sheets);
    }
}

/// The fold of the events of all pieces.
fn folded(pieces: &[Vec<u8>]) -> Result<Fold> {
    let mut fold = Fold::new(&Facet::ALL);
    pieces.iter().try_for_each(|piece| fold.add(piece)).map_err(Error::internal)?;
    Ok(fold)
}

/// The current periods of a scope, one per level, finest first.
struct Tower {
    scope: Scope,
    open: Vec<Open>,
}

struct Open {
    level: Level,
    start: Timestamp,
    fold: Fold,
}

impl Tower {
    fn new(scope: Scope, at: Timestamp) -> Self {
        let kind: ScopeKind = scope.kind();
        let levels = Level::MERGED.into_iter().filter(|level| *level >= kind.finest());
        Self { scope, open: levels.map(|level| Open::at(level, at)).collect() }
    }

    /// Adds the events of the current finest period.
    fn add(&mut self, pieces: &[Vec<u8>]) -> Result<()> {
        if let Some(finest) = self.open.first_mut() {
            finest.fold = folded(pieces)?;
        }
        Ok(())
    }

    /// Closes the periods that do not contain `at`, or all of them for `None`. Each is folded into the next coarser one.
    fn close_until(&mut self, at: Option<Timestamp>, sheets: &mut Sheets) {
        let over = |open: &Open| at.is_none_or(|at| open.level.floor(at) != open.start);
        if !self.open.first().is_some_and(over) {
            return;
        }
        let mut shorter = None;
        for open in &mut self.open {
            if let Some(sheet) = shorter.take() {
                open.fold.add_sheet(&sheet);
            }
            if !over(open) {
                return;
            }
            let next = Open::at(open.level, at.unwrap_or(open.start));
            let Open { level, start, fold } = std::mem::replace(open, next);
            let sheet = fold.into_sheet();
            for (part, half) in halves_of(sheet.clone()) {
                sheets.insert(SheetPeriod { scope: self.scope, level, part, start }, half.encode());
            }
            shorter = Some(sheet);
        }
    }
}

impl Open {
    fn at(level: Level, at: Timestamp) -> Self {
        Self { level, start: level.floor(at), fold: Fold::new(&Facet::ALL) }
    }
}

#[cfg(test)]
mod tests {
    use chrono::TimeDelta;
    use trailkeeper_domain::event::Outcome;
    use trailkeeper_domain::id::EnvId;
    use trailkeeper_testkit::{TestEntropy, at, tenant_id};

    use super::*;
    use crate::sheet::Sheet;

    /// Facts of a month in no order.
    fn facts(entropy: &TestEntropy) -> Vec<(TenantId, EventFact)> {
        let number = |end| u32::try_from(entropy.below(end)).unwrap();
        let fact = |_| EventFact {
            occurred_at: at("2026-02-01T00:00:00Z") + TimeDelta::minutes(number(28 * 1_440).into()),
            env: EnvId(number(2)),
            page: (number(3) > 0).then(|| 2 + number(4)),
            kind: 1 + number(6),
            outcome: entropy.pick(&Outcome::ALL),
            user: (number(4) > 0).then(|| 1 + number(30)),
            source: (number(4) > 0).then(|| 1 + number(9)),
        };
        (0..1_500).map(|nth| (tenant_id(u128::from(number(3))), fact(nth))).collect()
    }

    #[test]
    fn sheets_of_pieces_are_those_of_all_events() {
        let entropy = TestEntropy::new(1);
        let facts = facts(&entropy);
        let mut expected: BTreeMap<(Scope, Level, Timestamp), Vec<Fact>> = BTreeMap::new();
        let mut recount = Recount::default();
        for (tenant, fact) in &facts {
            recount.add(*tenant, fact).unwrap();
            if entropy.below(40) == 0 {
                recount.collect().unwrap();
            }
            for scope in [Scope::Everyone, Scope::Tenant(*tenant)] {
                for level in scope.kind().levels() {
                    let period = (scope, *level, level.floor(fact.occurred_at));
                    expected.entry(period).or_default().push(Fact::from(fact));
                }
            }
        }
        assert!(recount.pieces.values().any(|pieces| pieces.len() > 1), "nothing was in pieces");
        assert_eq!(recount.events(), facts.len() as u64);
        let expected: Sheets = expected
            .into_iter()
            .flat_map(|((scope, level, start), facts)| {
                let halves = halves_of(Sheet::of(scope.kind(), &facts)).into_iter();
                halves.map(move |(part, half)| (SheetPeriod { scope, level, part, start }, half.encode()))
            })
            .collect();
        assert!(recount.finish().unwrap() == expected);
    }
}
