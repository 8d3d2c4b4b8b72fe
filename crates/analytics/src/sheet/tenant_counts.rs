//! The counts of every tenant in one period: what the sheets of the tenants count in a few facets, without the sets.
//!
//! A question about every tenant needs the numbers of distinct users of thousands of sheets. They lie together here, so
//! it reads one row per period. `docs/sheets.md` describes the bytes.

use std::collections::BTreeMap;

use trailkeeper_domain::id::TenantId;
use trailkeeper_postings::bits::{ByteError, ByteFlaw, Framed, Reader, put_framed, put_number, seal, unsealed};
use uuid::Uuid;

use super::cell::Facet;
use super::fold::Folded;

/// The first byte of a payload.
const VERSION: u8 = 1;
/// The length of a tenant's id.
const ID_LEN: usize = 16;

/// The counts of a period, which are read from their payload.
#[derive(Debug)]
pub struct TenantCounts<'a> {
    tenants: &'a [[u8; ID_LEN]],
    facets: Vec<FacetCounts<'a>>,
}

#[derive(Debug)]
struct FacetCounts<'a> {
    facet: Facet,
    /// The number of cells of each tenant.
    cells: Framed<'a>,
    /// The ids, counts and numbers of distinct members of all cells, tenant by tenant.
    ids: Framed<'a>,
    counts: Framed<'a>,
    distinct: Framed<'a>,
}

impl<'a> TenantCounts<'a> {
    /// The facets of which counts are kept, ascending.
    pub const FACETS: [Facet; 2] = [Facet::Active, Facet::Userinfo];

    /// Reads what [`TenantCountsBuilder::finish`] wrote.
    ///
    /// # Errors
    /// The flaw of bytes that are truncated, corrupt or of an unknown version.
    pub fn read(payload: &'a [u8]) -> Result<Self, ByteError> {
        match payload.first() {
            None => return Err(ByteError::new(0, ByteFlaw::Truncated)),
            Some(&VERSION) => {}
            Some(&version) => return Err(ByteError::new(0, ByteFlaw::UnknownVersion(version))),
        }
        let mut reader = Reader::new(unsealed(payload)?, 1);
        let count = limited(&mut reader, |left| left / ID_LEN)?;
        let tenants = reader.take(count * ID_LEN)?.as_chunks().0;
        let mut counts = Self { tenants, facets: Vec::new() };
        while reader.left() > 0 {
            let facet = counts.facet(&mut reader)?;
            counts.facets.push(facet);
        }
        Ok(counts)
    }

    fn facet(&self, reader: &mut Reader<'a>) -> Result<FacetCounts<'a>, ByteError> {
        let at = reader.at();
        let code = reader.byte()?;
        let is_next = |facet: &Facet| self.facets.last().is_none_or(|last| last.facet < *facet);
        let facet = Facet::of_code(code).filter(is_next).ok_or(ByteError::new(at, ByteFlaw::Number))?;
        let at = reader.at();
        // The cells of a tenant have different ids, which take at least a bit each. A cell per tenant may take none.
        let all = limited(reader, |left| self.tenants.len().max(left.saturating_mul(8)))?;
        let cells = Framed::read(reader, self.tenants.len())?;
        let sum = cells.iter().try_fold(0_u64, u64::checked_add);
        if sum != Some(all as u64) {
            return Err(ByteError::new(at, ByteFlaw::Number));
        }
        let mut column = || Framed::read(reader, all);
        Ok(FacetCounts { facet, cells, ids: column()?, counts: column()?, distinct: column()? })
    }

    /// Calls `each` with every cell of a facet, by tenant, then by id.
    ///
    /// # Errors
    /// Those of `each`.
    pub fn each<E>(&self, facet: Facet, mut each: impl FnMut(TenantId, Folded) -> Result<(), E>) -> Result<(), E> {
        let Some(found) = self.facets.iter().find(|counts| counts.facet == facet) else { return Ok(()) };
        let mut cells = found.ids.iter().zip(found.counts.iter()).zip(found.distinct.iter());
        for (tenant, count) in self.tenants.iter().zip(found.cells.iter()) {
            let tenant = TenantId(Uuid::from_bytes(*tenant));
            // The sum of these numbers was compared with that of the cells.
            for _ in 0..count {
                let Some(((id, count), distinct)) = cells.next() else { return Ok(()) };
                each(tenant, Folded { id, count, distinct })?;
            }
        }
        Ok(())
    }
}

/// Reads a number that is at most `most` of the bytes that are left.
fn limited(reader: &mut Reader<'_>, most: impl Fn(usize) -> usize) -> Result<usize, ByteError> {
    let at = reader.at();
    let number = reader.number()?;
    let most = most(reader.left());
    usize::try_from(number).ok().filter(|number| *number <= most).ok_or(ByteError::new(at, ByteFlaw::Length(number)))
}

/// Collects the counts of a period.
#[derive(Debug, Default)]
pub struct TenantCountsBuilder {
    /// The cells of each facet, in the order of [`TenantCounts::FACETS`].
    tenants: BTreeMap<TenantId, [Vec<Folded>; TenantCounts::FACETS.len()]>,
}

impl TenantCountsBuilder {
    /// Adds a cell of one of the facets that are kept; cells of others are left out. Tenants may come in any order, the
    /// cells of a tenant and facet ascend by their ids.
    pub fn add(&mut self, tenant: TenantId, facet: Facet, cell: Folded) {
        if let Some(at) = TenantCounts::FACETS.iter().position(|kept| *kept == facet)
            && let Some(cells) = self.tenants.entry(tenant).or_default().get_mut(at)
        {
            cells.push(cell);
        }
    }

    /// The payload.
    pub fn finish(self) -> Vec<u8> {
        let mut out = vec![VERSION];
        put_number(&mut out, self.tenants.len() as u64);
        for tenant in self.tenants.keys() {
            out.extend_from_slice(tenant.0.as_bytes());
        }
        for (at, facet) in TenantCounts::FACETS.into_iter().enumerate() {
            let of_facet: Vec<&[Folded]> =
                self.tenants.values().map(|cells| cells.get(at).map_or(&[][..], Vec::as_slice)).collect();
            let all = of_facet.concat();
            if all.is_empty() {
                continue;
            }
            out.push(facet.code());
            put_number(&mut out, all.len() as u64);
            put_framed(&mut out, &of_facet.iter().map(|cells| cells.len() as u64).collect::<Vec<_>>());
            for column in [|cell: &Folded| cell.id, |cell: &Folded| cell.count, |cell: &Folded| cell.distinct] {
                put_framed(&mut out, &all.iter().map(column).collect::<Vec<_>>());
            }
        }
        seal(&mut out);
        out
    }
}

#[cfg(test)]
mod tests {
    use proptest::collection::{btree_map, vec};
    use proptest::prelude::*;

    use super::*;

    type Cells = BTreeMap<(u128, usize, u64), (u64, u64)>;

    fn cells() -> impl Strategy<Value = Cells> {
        let key = (any::<u128>().prop_map(|id| id >> 60), 0..TenantCounts::FACETS.len(), 0_u64..5);
        btree_map(key, (any::<u64>().prop_map(|n| n >> 40), 0_u64..3_000), 0..40)
    }

    fn payload(cells: &Cells) -> Vec<u8> {
        let mut builder = TenantCountsBuilder::default();
        for ((tenant, at, id), (count, distinct)) in cells {
            let cell = Folded { id: *id, count: *count, distinct: *distinct };
            builder.add(TenantId(Uuid::from_u128(*tenant)), TenantCounts::FACETS[*at], cell);
        }
        builder.finish()
    }

    fn read(payload: &[u8]) -> Result<Cells, ByteError> {
        let counts = TenantCounts::read(payload)?;
        let mut cells = Cells::new();
        for (at, facet) in TenantCounts::FACETS.into_iter().enumerate() {
            counts.each(facet, |tenant, cell| {
                cells.insert((tenant.0.as_u128(), at, cell.id), (cell.count, cell.distinct));
                Ok(())
            })?;
        }
        assert!(cells.len() <= payload.len() * 16, "{} cells of {} bytes", cells.len(), payload.len());
        Ok(cells)
    }

    proptest! {
        #[test]
        fn counts_are_read_as_written(cells in cells()) {
            prop_assert_eq!(read(&payload(&cells)), Ok(cells));
        }

        /// With a right checksum, so that the checksum does not reject them before the code under test runs.
        #[test]
        fn forged_counts_survive(
            cells in cells(),
            damage in vec((any::<prop::sample::Index>(), any::<u8>()), 0..6),
            cut in any::<prop::sample::Index>(),
        ) {
            let mut body = payload(&cells);
            body.truncate(body.len() - 4);
            for (at, byte) in damage {
                let at = at.index(body.len());
                body[at] = byte;
            }
            for length in [body.len(), cut.index(body.len())] {
                let mut forged = body[..length].to_vec();
                seal(&mut forged);
                if let Err(error) = read(&forged) {
                    prop_assert!(error.offset <= forged.len(), "{error}");
                }
            }
        }
    }

    #[test]
    fn other_bytes_are_errors() {
        let whole = payload(&Cells::from([((7, 0, 1), (9, 4)), ((8, 1, 0), (2, 2))]));
        let flaw = |payload: &[u8]| read(payload).unwrap_err().flaw;
        for length in 1..whole.len() {
            assert!(matches!(flaw(&whole[..length]), ByteFlaw::Truncated | ByteFlaw::Checksum), "{length}");
        }
        assert_eq!(flaw(&[]), ByteFlaw::Truncated);
        assert_eq!(flaw(&[2, 0]), ByteFlaw::UnknownVersion(2));
        assert_eq!(read(&TenantCountsBuilder::default().finish()), Ok(Cells::new()));
    }

    /// `docs/sheets.md` describes these bytes.
    #[test]
    fn the_bytes_of_small_counts() {
        let bytes = payload(&Cells::from([((7, 0, 1), (9, 4)), ((7, 0, 2), (6, 4)), ((8, 1, 0), (2, 2))]));
        let ids = [Uuid::from_u128(7).into_bytes(), Uuid::from_u128(8).into_bytes()].concat();
        let active = [3, 2, 0, 2, 0b0010, 1, 1, 0b10, 6, 2, 0b0011, 4, 0];
        let userinfo = [6, 1, 0, 1, 0b10, 0, 0, 2, 0, 2, 0];
        assert_eq!(bytes[..bytes.len() - 4], [&[1, 2][..], &ids, &active, &userinfo].concat());
    }
}
