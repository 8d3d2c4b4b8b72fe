//! Makes the right sheets of one month from its events.

use std::collections::BTreeMap;

use trailkeeper_domain::fact::EventFact;
use trailkeeper_domain::ports::SheetPeriod;
use trailkeeper_domain::scope::{Level, Scope, ScopeKind};
use trailkeeper_domain::time::Timestamp;

use crate::engine::merge::halves_of;
use crate::sheet::{Facet, Fact, Fold, SheetBuilder};

/// The most facts that are collected before they are folded: bounds memory for an hour with very many events.
const FACTS_AT_ONCE: usize = 1 << 16;

/// Encoded sheets by period.
pub type Sheets = BTreeMap<SheetPeriod, Vec<u8>>;

/// Counts events, which must come in order of time.
#[derive(Default)]
pub struct Recount {
    towers: BTreeMap<Scope, Tower>,
    collected: usize,
    events: u64,
    sheets: Sheets,
}

/// The current periods of a scope, one per level, finest first.
struct Tower {
    kind: ScopeKind,
    builder: SheetBuilder,
    open: Vec<Open>,
}

struct Open {
    level: Level,
    start: Timestamp,
    fold: Fold,
}

impl Recount {
    /// Counts an event, for everyone and for its tenant.
    pub fn add(&mut self, fact: &EventFact) {
        for scope in [Scope::Everyone, Scope::Tenant(fact.tenant_id)] {
            let tower = self.towers.entry(scope).or_insert_with(|| Tower::new(scope.kind(), fact.occurred_at));
            tower.close_until(Some(fact.occurred_at), scope, &mut self.sheets);
            tower.builder.add(&Fact::from(fact));
        }
        self.events += 1;
        self.collected += 1;
        if self.collected >= FACTS_AT_ONCE {
            self.towers.values_mut().for_each(Tower::collect);
            self.collected = 0;
        }
    }

    /// The number of events that were counted.
    pub fn events(&self) -> u64 {
        self.events
    }

    /// The sheets of all counted events.
    pub fn finish(mut self) -> Sheets {
        for (scope, mut tower) in self.towers {
            tower.close_until(None, scope, &mut self.sheets);
        }
        self.sheets
    }
}

impl Tower {
    fn new(kind: ScopeKind, at: Timestamp) -> Self {
        let levels = Level::ALL.into_iter().filter(|level| *level >= kind.finest());
        let open = levels.map(|level| Open::at(level, at)).collect();
        Self { kind, builder: SheetBuilder::new(kind), open }
    }

    /// Folds the collected facts.
    fn collect(&mut self) {
        let sheet = std::mem::replace(&mut self.builder, SheetBuilder::new(self.kind)).finish();
        if let Some(finest) = self.open.first_mut() {
            finest.fold.add_sheet(&sheet);
        }
    }

    /// Closes the periods that do not contain `at`, or all of them for `None`. Each is folded into the next coarser one.
    fn close_until(&mut self, at: Option<Timestamp>, scope: Scope, sheets: &mut Sheets) {
        let over = |open: &Open| at.is_none_or(|at| open.level.floor(at) != open.start);
        if !self.open.first().is_some_and(over) {
            return;
        }
        self.collect();
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
                sheets.insert(SheetPeriod { scope, level, part, start }, half.encode());
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
