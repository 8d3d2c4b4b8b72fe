//! Reads a payload once, and passes the cells to a visitor.

use trailkeeper_postings::bits::{Reader, unsealed};

use super::error::{CodecError, Flaw};
use super::format::{Sink, VERSION, may_be_referred};
use super::set::{self, Encoding, IDS_PER_BYTE};
use crate::sheet::cell::Facet;

/// Takes the cells that [`walk`] reads.
pub(in crate::sheet) trait Visitor {
    /// The receiver of ids.
    type Ids: Sink;

    /// Called at the start of a facet. `false` skips it without reading its cells.
    fn facet(&mut self, facet: Facet) -> bool;

    /// Called with a cell of the facet, its count and the length of its set. Returns the receiver of the ids; `None` skips
    /// them.
    fn cell(&mut self, id: u64, count: u64, distinct: usize) -> Option<&mut Self::Ids>;
}

/// Reads a payload to its end. After an error, the visitor has seen a part of it.
pub(in crate::sheet) fn walk(payload: &[u8], visitor: &mut impl Visitor) -> Result<(), CodecError> {
    let body = checked_body(payload)?;
    let mut reader = Reader::new(body, 1);
    let mut walk = Walk { body, facet_at: 0, referred: 0, visitor };
    let mut previous = 0;
    while reader.left() > 0 {
        walk.facet_at = reader.at();
        let code = reader.byte()?;
        let facet = Facet::of_code(code).ok_or(CodecError::new(walk.facet_at, Flaw::UnknownFacet(code)))?;
        if code <= previous {
            return Err(CodecError::new(walk.facet_at, Flaw::FacetOrder(code)));
        }
        previous = code;
        let wanted = walk.visitor.facet(facet);
        if facet.is_single() {
            walk.cell(&mut reader, 0, wanted)?;
        } else {
            walk.cells(&mut reader, wanted)?;
        }
    }
    Ok(())
}

/// Checks the version and the checksum, and returns the payload without the checksum.
fn checked_body(payload: &[u8]) -> Result<&[u8], CodecError> {
    // The version is checked first: in another version the payload may end differently.
    match payload.first() {
        None => return Err(CodecError::new(0, Flaw::Truncated)),
        Some(&VERSION) => {}
        Some(&version) => return Err(CodecError::new(0, Flaw::UnknownVersion(version))),
    }
    let body = unsealed(payload)?;
    if body.is_empty() { Err(CodecError::new(payload.len(), Flaw::Truncated)) } else { Ok(body) }
}

struct Walk<'a, 'v, V> {
    body: &'a [u8],
    /// The offset of the current facet: references lead to offsets before it.
    facet_at: usize,
    /// The number of ids that references have encoded so far.
    referred: usize,
    visitor: &'v mut V,
}

impl<'a, V: Visitor> Walk<'a, '_, V> {
    fn cells(&mut self, reader: &mut Reader<'a>, wanted: bool) -> Result<(), CodecError> {
        let count = reader.number()?;
        let length = reader.length()?;
        let mut cells = reader.part(length)?;
        if !wanted {
            return Ok(());
        }
        if count == 0 {
            return Err(CodecError::new(cells.at(), Flaw::Empty));
        }
        let mut next = Some(0_u64);
        for _ in 0..count {
            let at = cells.at();
            let gap = cells.number()?;
            let id = next.and_then(|next| next.checked_add(gap)).ok_or(CodecError::new(at, Flaw::IdRange))?;
            self.cell(&mut cells, id, true)?;
            next = id.checked_add(1);
        }
        Ok(cells.end()?)
    }

    fn cell(&mut self, reader: &mut Reader<'a>, id: u64, wanted: bool) -> Result<(), CodecError> {
        let at = reader.at();
        let head = Head::read(reader)?;
        let (mut body, shape) = match head.shape {
            Encoding::List => (*reader, head.shape),
            Encoding::Packed | Encoding::Bits => {
                let length = reader.length()?;
                (reader.part(length)?, head.shape)
            }
            Encoding::Same => {
                let back = reader.number()?;
                if !wanted {
                    return Ok(());
                }
                self.referred_to(back, head.distinct).ok_or(CodecError::new(at, Flaw::Reference))?
            }
        };
        // Checked before memory is allocated for the ids.
        if head.distinct > body.left().saturating_mul(IDS_PER_BYTE) {
            return Err(CodecError::new(at, Flaw::Length(head.distinct as u64)));
        }
        if head.shape == Encoding::Same {
            self.referred = self.referred.saturating_add(head.distinct);
            if self.referred > may_be_referred(self.facet_at) {
                return Err(CodecError::new(at, Flaw::TooManyReferences));
            }
        }
        let ids = if wanted { self.visitor.cell(id, head.count, head.distinct) } else { None };
        match (ids, head.shape) {
            (Some(ids), Encoding::List) => set::read(reader, shape, head.distinct, ids),
            (Some(ids), _) => set::read(&mut body, shape, head.distinct, ids),
            (None, Encoding::List) => Ok(reader.skip_numbers(head.distinct)?),
            (None, _) => Ok(()),
        }
    }

    /// The body of the set whose head lies `back` bytes before the current facet, if it has `distinct` ids.
    fn referred_to(&self, back: u64, distinct: usize) -> Option<(Reader<'a>, Encoding)> {
        let at = self.facet_at.checked_sub(usize::try_from(back).ok()?)?;
        let mut reader = Reader::new(self.body.get(..self.facet_at)?, at);
        let head = Head::read(&mut reader).ok().filter(|head| head.distinct == distinct)?;
        match head.shape {
            Encoding::List => Some((reader, head.shape)),
            Encoding::Packed | Encoding::Bits => {
                let length = reader.length().ok()?;
                Some((reader.part(length).ok()?, head.shape))
            }
            // The writer never refers to a reference, and a chain of references could be a circle.
            Encoding::Same => None,
        }
    }
}

/// The head of a set, which stands before its body.
struct Head {
    shape: Encoding,
    count: u64,
    distinct: usize,
}

impl Head {
    fn read(reader: &mut Reader<'_>) -> Result<Self, CodecError> {
        let at = reader.at();
        let head = reader.number()?;
        let distinct = usize::try_from(head >> 3).map_err(|_| CodecError::new(at, Flaw::Cardinality))?;
        let more = if head & 4 == 0 { Some(0) } else { reader.number()?.checked_add(1) };
        let count = more.and_then(|more| more.checked_add(distinct as u64));
        match count {
            None => Err(CodecError::new(at, Flaw::Number)),
            Some(0) => Err(CodecError::new(at, Flaw::Empty)),
            Some(count) => Ok(Self { shape: Encoding::of_head(head), count, distinct }),
        }
    }
}
