//! The lower bound for an answer from sheets: folding the same payloads, already in memory.

use std::collections::BTreeSet;
use std::time::Duration;

use trailkeeper_analytics::sheet::{Facet, Fold, cover};
use trailkeeper_domain::ports::{Scopes, SheetQuery, Store};
use trailkeeper_domain::scope::{Part, Scope};
use trailkeeper_domain::time::TimeRange;
use trailkeeper_testkit::at;

use crate::questions::{FROM, TO};
use crate::watch;

/// Folds views and distinct users of each page and of all pages over the 90 days. Returns the median time.
pub fn page_statistics(store: &dyn Store) -> Duration {
    let facets = [Facet::Views, Facet::AllViews];
    let payloads = payloads(store, &facets);
    watch::median(|| {
        let mut fold = Fold::new(&facets);
        for payload in &payloads {
            fold.add(payload).unwrap();
        }
        (fold.cells(Facet::Views), fold.total(Facet::AllViews))
    })
}

fn payloads(store: &dyn Store, facets: &[Facet]) -> Vec<Vec<u8>> {
    let range = TimeRange { start: at(FROM), end: at(TO) };
    let pieces = cover(Scope::Everyone.kind(), range, &BTreeSet::new()).pieces;
    let parts = Part::ALL.into_iter().filter(|part| facets.iter().any(|facet| facet.part() == *part));
    let queries = parts.flat_map(|part| {
        pieces.iter().map(move |piece| SheetQuery {
            scopes: Scopes::One(Scope::Everyone),
            level: piece.level,
            part,
            starts: piece.range(),
        })
    });
    let queries: Vec<SheetQuery> = queries.collect();
    store
        .reading(|tx| {
            let mut payloads = Vec::new();
            for query in &queries {
                tx.sheets(query, &mut |_, payload| {
                    payloads.push(payload.to_vec());
                    Ok(())
                })?;
            }
            Ok(payloads)
        })
        .unwrap()
}
