//! Payloads of the counts of all tenants: forged, and made by Trailkeeper itself.
#![no_main]

use std::collections::BTreeMap;
use std::convert::Infallible;

use libfuzzer_sys::fuzz_target;
use trailkeeper_analytics::sheet::{Facet, Folded, TenantCounts, TenantCountsBuilder};
use trailkeeper_domain::id::TenantId;
use trailkeeper_fuzz::sheets::sealed;
use uuid::Uuid;

type Cells = BTreeMap<(TenantId, Facet, u64), (u64, u64)>;

fuzz_target!(|data: &[u8]| {
    let _either = cells_of(data);
    let _either = cells_of(&sealed(&[&[1], data].concat()));
    written(data);
});

/// The cells of a payload; `None` if it is unreadable.
fn cells_of(payload: &[u8]) -> Option<Cells> {
    let counts = match TenantCounts::read(payload) {
        Ok(counts) => counts,
        Err(error) => {
            assert!(error.offset <= payload.len(), "{error}");
            return None;
        }
    };
    let (mut cells, mut all) = (Cells::new(), 0);
    for facet in TenantCounts::FACETS {
        let Ok(()) = counts.each(facet, |tenant, cell| {
            all += 1;
            cells.insert((tenant, facet, cell.id), (cell.count, cell.distinct));
            Ok::<(), Infallible>(())
        });
    }
    assert!(all <= payload.len() * 16, "{all} cells of {} bytes", payload.len());
    Some(cells)
}

/// Writes cells and reads them again. Each takes eight bytes of the input.
fn written(bytes: &[u8]) {
    let mut cells = Cells::new();
    for row in bytes.as_chunks::<8>().0 {
        let [tenant, facet, id, wide, a, b, c, d] = *row;
        let number = u64::from(u32::from_le_bytes([a, b, c, d])) << (wide % 33);
        let facet = TenantCounts::FACETS[usize::from(facet) % TenantCounts::FACETS.len()];
        cells.insert(
            (TenantId(Uuid::from_u128(u128::from(tenant) << 90)), facet, u64::from(id)),
            (number, u64::from(b)),
        );
    }
    let mut builder = TenantCountsBuilder::default();
    for ((tenant, facet, id), (count, distinct)) in &cells {
        builder.add(*tenant, *facet, Folded { id: *id, count: *count, distinct: *distinct });
    }
    assert_eq!(cells_of(&builder.finish()), Some(cells), "what is written is read");
}
