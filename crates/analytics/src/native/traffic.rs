//! How many events there were, of which types, and by how many distinct users.

use std::collections::{BTreeMap, HashMap};

use trailkeeper_domain::event::EventKind;
use trailkeeper_domain::id::TenantId;
use trailkeeper_domain::ports::ReadTx;
use trailkeeper_domain::{Error, Result};

use super::buckets::{Granularity, Span};
use super::tally::{Folding, Rows, Tally};
use super::{Audience, Compared, Series, SeriesSpec};
use crate::Source;
use crate::sheet::{CellKey, Facet, Fold, Folded, IdBits};

/// Events and their users.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Traffic {
    /// Events, failed ones and those without a user included.
    pub events: u64,
    /// Distinct users over all types: not a sum.
    pub users: u64,
    /// By type, those that occurred alone.
    pub types: BTreeMap<String, TypeTraffic>,
}

/// Events of one type and their users.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct TypeTraffic {
    /// Events.
    pub events: u64,
    /// Distinct users.
    pub users: u64,
}

/// The traffic per bucket and over the whole range, in one snapshot. `kinds` narrows it to those types; empty
/// means all.
pub fn traffic(
    source: Source<'_>,
    audience: Audience,
    spec: SeriesSpec,
    kinds: &[EventKind],
    tenant_scoped: Option<TenantId>,
) -> Result<Compared<Series<Traffic>>> {
    let scope_filter = audience.folding(source, tenant_scoped)?;
    source.store.reading(|tx| {
        let mut names = Names { chosen: kinds, known: HashMap::new() };
        let mut rows = Rows::default();
        spec.compared(|span| series(tx, scope_filter, span, spec.granularity, &mut names, &mut rows))
    })
}

fn series(
    tx: &mut dyn ReadTx,
    scope_filter: Folding<'_>,
    span: Span,
    granularity: Granularity,
    names: &mut Names<'_>,
    rows: &mut Rows,
) -> Result<Series<Traffic>> {
    let ranges = span.buckets(granularity)?;
    let mut buckets = Vec::with_capacity(ranges.len());
    let mut all = BTreeMap::<String, Tally>::new();
    scope_filter.each(tx, &ranges, &[Facet::Kind], |tx, range, fold| {
        let mut here = BTreeMap::<String, Tally>::new();
        for (cell, name) in names.of(tx, fold, rows)? {
            let key = CellKey::new(Facet::Kind, cell.id);
            all.entry(name.clone()).or_default().add(fold, key);
            here.entry(name).or_default().add(fold, key);
        }
        buckets.push((range, counted(&here)));
        Ok(())
    })?;
    Ok(Series { span, totals: counted(&all), buckets })
}

fn counted(tallies: &BTreeMap<String, Tally>) -> Traffic {
    let mut users = IdBits::default();
    for tally in tallies.values() {
        users.unite(&tally.ids);
    }
    let types = tallies
        .iter()
        .map(|(name, tally)| (name.clone(), TypeTraffic { events: tally.count, users: tally.distinct() }));
    Traffic {
        events: tallies.values().map(|tally| tally.count).sum(),
        users: users.len() as u64,
        types: types.collect(),
    }
}

/// The types' names, asked for once each.
struct Names<'a> {
    chosen: &'a [EventKind],
    known: HashMap<u64, String>,
}

impl Names<'_> {
    /// The cells of a fold whose types were chosen, with their names, counted as rows of the answer.
    fn of(&mut self, tx: &mut dyn ReadTx, fold: &Fold, rows: &mut Rows) -> Result<Vec<(Folded, String)>> {
        let cells = fold.cells(Facet::Kind);
        if self.chosen.is_empty() {
            // Before they are named: senders make types, and an answer that is refused must not cost what it lists.
            rows.add(cells.len())?;
        }
        let unknown = cells.iter().filter(|cell| !self.known.contains_key(&cell.id));
        let unknown: Vec<u32> = unknown.filter_map(|cell| u32::try_from(cell.id).ok()).collect();
        if !unknown.is_empty() {
            let names = tx.kind_names(&unknown)?;
            self.known.extend(names.into_iter().map(|(id, name)| (u64::from(id), name)));
        }
        let mut named = Vec::with_capacity(cells.len());
        for cell in cells {
            let name = self.known.get(&cell.id).ok_or_else(|| {
                Error::internal(format!("a sheet counts the event type {}, which is in no dictionary", cell.id))
            })?;
            if self.chosen.is_empty() || self.chosen.iter().any(|kind| kind.as_str() == name) {
                named.push((cell, name.clone()));
            }
        }
        if !self.chosen.is_empty() {
            rows.add(named.len())?;
        }
        Ok(named)
    }
}
