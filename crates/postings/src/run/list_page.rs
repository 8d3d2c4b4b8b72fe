//! A page of posting lists: chunks in the order of their values, then of their positions.
//!
//! Chunks lie in groups of 32. The first values and the offsets of all groups but the first one stand in front, so that a
//! reader of one value reads a single group.

use super::chunk::{self, Chunk};
use super::flaw::Flaw;
use super::format::{CHUNKS_PER_GROUP, LIST_PAGE_LEN};
use crate::bits::{CHECKSUM_LEN, Framed, Reader, put_framed, put_number};

/// The most bytes of the front of a page: the number of chunks, and the two columns of groups.
const FRONT_LEN: usize = 24;
/// The most bytes in the front for a group.
const GROUP_LEN: usize = 6;

/// Collects the chunks of a page.
#[derive(Debug, Default)]
pub(super) struct ListPage {
    chunks: usize,
    /// The first value and the offset of each group but the first one.
    firsts: Vec<u64>,
    offsets: Vec<u64>,
    area: Vec<u8>,
    value: u32,
    scratch: Vec<u8>,
}

impl ListPage {
    /// Adds a chunk, whose value is not less than the one before. `false` if the page is full: it stays as it was.
    pub fn push(&mut self, value: u32, positions: &[u32], events: u32) -> bool {
        let begins = self.chunks > 0 && self.chunks.is_multiple_of(CHUNKS_PER_GROUP);
        let before = if begins { value } else { self.value };
        self.scratch.clear();
        chunk::put(&mut self.scratch, value - before, positions, events);
        let groups = self.offsets.len() + usize::from(begins);
        let front = FRONT_LEN + groups * GROUP_LEN;
        if self.chunks > 0 && front + self.area.len() + self.scratch.len() + CHECKSUM_LEN > LIST_PAGE_LEN {
            return false;
        }
        if begins {
            self.firsts.push(u64::from(value));
            self.offsets.push(self.area.len() as u64);
        }
        self.area.extend_from_slice(&self.scratch);
        self.chunks += 1;
        self.value = value;
        true
    }

    /// The bytes of the page, without a checksum; `None` without chunks. The next page begins.
    pub fn finish(&mut self) -> Option<Vec<u8>> {
        if self.chunks == 0 {
            return None;
        }
        let mut page = Vec::with_capacity(FRONT_LEN + self.offsets.len() * GROUP_LEN + self.area.len() + CHECKSUM_LEN);
        put_number(&mut page, self.chunks as u64);
        if !self.offsets.is_empty() {
            put_framed(&mut page, &self.firsts);
            put_framed(&mut page, &self.offsets);
        }
        page.extend_from_slice(&self.area);
        self.chunks = 0;
        self.value = 0;
        self.firsts.clear();
        self.offsets.clear();
        self.area.clear();
        Some(page)
    }
}

/// A place in a page: the next chunk.
#[derive(Debug, Clone, Copy)]
pub(super) struct Place {
    at: usize,
    /// The index of the next chunk.
    chunk: usize,
    /// The value before it.
    value: u32,
}

/// The front of a page.
pub(super) struct ListPageReader<'a> {
    page: &'a [u8],
    chunks: usize,
    firsts: Framed<'a>,
    offsets: Framed<'a>,
    area: usize,
    events: u32,
}

impl<'a> ListPageReader<'a> {
    /// Reads the front of a page of a run of `events` events.
    pub fn new(page: &'a [u8], events: u32) -> Result<Self, Flaw> {
        let mut reader = Reader::new(page, 0);
        let chunks = reader.number()?;
        // A chunk takes at least a byte.
        let chunks = usize::try_from(chunks).ok().filter(|chunks| (1..=page.len()).contains(chunks));
        let chunks = chunks.ok_or(Flaw::new(0, "a page of lists has no chunks or too many"))?;
        let groups = chunks.div_ceil(CHUNKS_PER_GROUP) - 1;
        let (mut firsts, mut offsets) = (Framed::default(), Framed::default());
        if groups > 0 {
            firsts = Framed::read(&mut reader, groups)?;
            offsets = Framed::read(&mut reader, groups)?;
        }
        Ok(Self { page, chunks, firsts, offsets, area: reader.at(), events })
    }

    /// The place of the first chunk.
    pub fn start(&self) -> Place {
        Place { at: self.area, chunk: 0, value: 0 }
    }

    /// The beginning of the group in which the list of `value` begins, if the page has it.
    pub fn group_of(&self, value: u32) -> Result<Place, Flaw> {
        let (mut low, mut high) = (0, self.firsts.len());
        while low < high {
            let middle = usize::midpoint(low, high);
            // The list may begin in the group before the first one that begins with its value.
            if self.firsts.get(middle).is_some_and(|first| first < u64::from(value)) {
                low = middle + 1;
            } else {
                high = middle;
            }
        }
        let Some(group) = low.checked_sub(1) else { return Ok(self.start()) };
        let flaw = Flaw::new(0, "a group of chunks is outside its page");
        let first = self.firsts.get(group).and_then(|first| u32::try_from(first).ok()).ok_or(flaw)?;
        let offset = self.offsets.get(group).and_then(|offset| usize::try_from(offset).ok()).ok_or(flaw)?;
        let at = self.area.checked_add(offset).filter(|at| *at < self.page.len()).ok_or(flaw)?;
        Ok(Place { at, chunk: (group + 1) * CHUNKS_PER_GROUP, value: first })
    }

    /// The next chunk; `None` at the end of the page.
    pub fn next(&self, place: &mut Place) -> Result<Option<Chunk<'a>>, Flaw> {
        if place.chunk == self.chunks {
            // A place that comes from the front is checked by the last chunk.
            return if place.at == self.page.len() {
                Ok(None)
            } else {
                Err(Flaw::new(place.at, "bytes are left over in a page of lists"))
            };
        }
        if place.chunk > 0 && place.chunk.is_multiple_of(CHUNKS_PER_GROUP) {
            let first = self.firsts.get(place.chunk / CHUNKS_PER_GROUP - 1).and_then(|first| u32::try_from(first).ok());
            place.value = first
                .filter(|first| *first >= place.value)
                .ok_or(Flaw::new(place.at, "the values of groups do not ascend"))?;
        }
        let mut reader = Reader::new(self.page, place.at);
        let chunk = Chunk::read(&mut reader, place.value, self.events)?;
        *place = Place { at: reader.at(), chunk: place.chunk + 1, value: chunk.value };
        Ok(Some(chunk))
    }
}
