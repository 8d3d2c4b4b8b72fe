//! Events by type, and their distinct users.

use std::collections::{BTreeMap, HashMap};

use trailkeeper_domain::Result;
use trailkeeper_domain::event::{EventKind, missing_kind};
use trailkeeper_domain::ports::{ReadTx, Store};

use super::tally::{Rows, Tally};
use super::{Compared, Series, SeriesSpec};
use crate::engine::read;
use crate::sheet::{CellKey, Facet, Fold, Folded, IdBits};
use crate::{Audience, Granularity, Span};

/// Events and their users.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Traffic {
    /// The number of events, including failed ones and those without a user.
    pub events: u64,
    /// Distinct users over all types; not the sum of those of the types.
    pub users: u64,
    /// The traffic of each type that occurred, by its name.
    pub types: BTreeMap<String, TypeTraffic>,
}

/// Events of one type and their users.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct TypeTraffic {
    /// The number of events.
    pub events: u64,
    /// Distinct users.
    pub users: u64,
}

/// Counts events per bucket and over the whole range: those of the types in `kinds`, or of all types if it is empty.
///
/// # Errors
/// [`Error::Invalid`](trailkeeper_domain::Error::Invalid) for `granularity` if the answer would have too many buckets or rows.
pub fn traffic(
    store: &dyn Store,
    spec: SeriesSpec,
    kinds: &[EventKind],
    audience: &Audience,
) -> Result<Compared<Series<Traffic>>> {
    store.reading(|tx| {
        let mut names = Names { chosen: kinds, known: HashMap::new() };
        let mut rows = Rows::default();
        spec.compared(|span| series(tx, audience, span, spec.granularity, &mut names, &mut rows))
    })
}

fn series(
    tx: &mut dyn ReadTx,
    audience: &Audience,
    span: Span,
    granularity: Granularity,
    names: &mut Names<'_>,
    rows: &mut Rows,
) -> Result<Series<Traffic>> {
    let ranges = span.buckets(granularity)?;
    let mut buckets = Vec::with_capacity(ranges.len());
    let mut all = BTreeMap::<String, Tally>::new();
    read::each(tx, audience, &ranges, &[Facet::Kind], |tx, range, fold: &Fold| {
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

/// The names of types, each of which is looked up once.
struct Names<'a> {
    chosen: &'a [EventKind],
    known: HashMap<u64, String>,
}

impl Names<'_> {
    /// The cells of the chosen types in a fold, with their names; counts them as rows of the answer.
    fn of(&mut self, tx: &mut dyn ReadTx, fold: &Fold, rows: &mut Rows) -> Result<Vec<(Folded, String)>> {
        let cells = fold.cells(Facet::Kind);
        if self.chosen.is_empty() {
            // Before their names are looked up: senders make up types, and an answer that is rejected for its size
            // must not cost as much as the answer.
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
            // The database has lost the names that it did not find.
            let name = self.known.get(&cell.id).cloned();
            let name = name.unwrap_or_else(|| missing_kind(u32::try_from(cell.id).unwrap_or(u32::MAX)));
            if self.chosen.is_empty() || self.chosen.iter().any(|kind| kind.as_str() == name) {
                named.push((cell, name));
            }
        }
        if !self.chosen.is_empty() {
            rows.add(named.len())?;
        }
        Ok(named)
    }
}
