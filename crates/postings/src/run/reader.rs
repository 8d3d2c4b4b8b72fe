//! Answers questions about a run from its header and as few pages as possible.

use std::collections::BTreeMap;
use std::ops::Range;

use trailkeeper_domain::error::Context;
use trailkeeper_domain::event::EventPosition;
use trailkeeper_domain::{Error, Result};

use super::chunk::Chunk;
use super::collect::Collector;
use super::column_page::ColumnPage;
use super::flaw::Flaw;
use super::format::{KEYS_PER_BLOCK, KEYS_PER_PAGE, VALUES_PER_PAGE, pages};
use super::header::{Header, Section};
use super::key::Key;
use super::key_page::KeyPage;
use super::list_page::ListPageReader;
use super::pages::{AT_ONCE, Page, Pages};
use super::removed::decode_removed;
use crate::dimension::{Column, Dimension};
use crate::page_source::PageSource;
use crate::positions::PositionSet;
use crate::segment::{NumberBounds, Segment};
use crate::value::{column_of, dimension_of};

/// A run, whose pages are read when they are needed. It caches up to 1 MiB of them.
///
/// Every error of damaged bytes is an [`Error::Internal`] that names the run, the page and the offset.
#[derive(Debug)]
pub struct RunReader<S> {
    pub(super) header: Header,
    pub(super) pages: Pages<S>,
    removed: PositionSet,
    /// Columns of a small run, which are made of its lists.
    derived: BTreeMap<Column, Vec<Option<u32>>>,
}

/// A part of a run.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Part {
    /// The times and numbers of events.
    Keys,
    /// The posting lists of a dimension.
    Lists(Dimension),
    /// The values of a column.
    Column(Column),
}

impl<S: PageSource> RunReader<S> {
    /// Reads the header and the removed positions of a run.
    pub fn open(header: &[u8], removed: Option<&[u8]>, source: S) -> Result<Self> {
        let mut header = Header::decode(header).map_err(|flaw| {
            let (name, offset) = (source.name(), flaw.offset);
            Error::internal(Context::new(format!("the header of {name} is unreadable at byte {offset}"), flaw))
        })?;
        let removed = match removed {
            None => PositionSet::Sparse(Vec::new()),
            Some(removed) => {
                decode_removed(removed).map_err(|error| Error::internal(Context::new(source.name(), error)))?
            }
        };
        let inline = header.inline.take();
        Ok(Self { pages: Pages::new(source, inline), header, removed, derived: BTreeMap::new() })
    }

    /// The times and numbers of the first and the last event, removed ones included; `None` without events.
    pub fn span(&self) -> Option<(EventPosition, EventPosition)> {
        (self.header.events > 0).then_some(())?;
        Some((self.header.first.position()?, self.header.last.position()?))
    }

    /// The parts of the run with the numbers of their pages, in the order of pages. In a small run, pages are numbered like
    /// this inside the header.
    pub fn parts(&self) -> Vec<(Part, Range<u32>)> {
        let mut parts = vec![(Part::Keys, 0..pages(self.header.events, KEYS_PER_PAGE))];
        for section in &self.header.sections {
            let first = section.first_page;
            parts.push((Part::Lists(section.dimension), first..first + section.pages()));
            if let (Some(first), Some(column)) = (section.column_page, column_of(section.dimension)) {
                parts.push((Part::Column(column), first..first + pages(self.header.events, VALUES_PER_PAGE)));
            }
        }
        parts
    }

    /// Gives the source of pages back.
    pub fn into_source(self) -> S {
        self.pages.into_source()
    }

    /// The lists of a dimension; `None` if no event has a value in it.
    pub(super) fn section(&self, dimension: Dimension) -> Option<&Section> {
        self.header.sections.iter().find(|section| section.dimension == dimension)
    }

    /// The number of keys of a page.
    pub(super) fn keys_of(&self, page: u32) -> usize {
        self.header.events.saturating_sub(page * KEYS_PER_PAGE).min(KEYS_PER_PAGE) as usize
    }

    /// The error of an answer that a page does not have.
    pub(super) fn damaged(&self, page: u32) -> impl Fn(Flaw) -> Error + '_ {
        move |flaw| self.pages.damaged(page, flaw)
    }

    fn position_of(&self, page: u32, key: Key) -> Result<EventPosition> {
        key.position().ok_or_else(|| self.pages.damaged(page, Flaw::new(0, "a time is outside the calendar")))
    }

    /// Calls `each` with the pages that hold these positions, if a page holds `per_page` of them, and with their positions.
    fn by_page(
        &mut self,
        first_page: u32,
        per_page: u32,
        positions: &[u32],
        mut each: impl FnMut(&Self, u32, &Page, &[u32]) -> Result<()>,
    ) -> Result<()> {
        if let Some(outside) = positions.last().filter(|last| **last >= self.header.events) {
            return Err(Error::internal(format!("{} has no position {outside}", self.pages.name())));
        }
        let parts: Vec<&[u32]> = positions.chunk_by(|one, other| one / per_page == other / per_page).collect();
        for (index, part) in parts.iter().enumerate() {
            let page_of = |part: &&[u32]| part.first().map_or(0, |position| position / per_page);
            let page = page_of(part);
            if index % AT_ONCE == 0 {
                self.pages.load(parts.iter().skip(index).map(|part| first_page + page_of(part)))?;
            }
            let bytes = self.pages.get(first_page + page)?;
            each(self, page, &bytes, part)?;
        }
        Ok(())
    }

    /// The values of all events in a column of a small run.
    fn derived(&mut self, column: Column) -> Result<&[Option<u32>]> {
        if !self.derived.contains_key(&column) {
            let mut values = vec![None; self.header.events as usize];
            self.each_list(dimension_of(column), |value, positions| {
                for position in positions {
                    if let Some(slot) = values.get_mut(*position as usize) {
                        *slot = Some(value);
                    }
                }
                Ok(())
            })?;
            self.derived.insert(column, values);
        }
        Ok(self.derived.get(&column).map(Vec::as_slice).unwrap_or_default())
    }
}

impl<S: PageSource> Segment for RunReader<S> {
    fn len(&self) -> u32 {
        self.header.events
    }

    fn removed(&mut self) -> Result<PositionSet> {
        Ok(self.removed.clone())
    }

    fn rank(&mut self, key: EventPosition) -> Result<u32> {
        let key = Key::from(key);
        if self.header.events == 0 || key <= self.header.first {
            return Ok(0);
        }
        if key > self.header.last {
            return Ok(self.header.events);
        }
        // Without numbers in the fences, all their times differ: a fence of the key's time may come before the key or
        // after it.
        let before = |fence: &Key| if self.header.numbered { *fence < key } else { fence.time <= key.time };
        let mut page = u32::try_from(self.header.key_fences.partition_point(before)).map_err(Error::internal)?;
        loop {
            let bytes = self.pages.get(page)?;
            let read = KeyPage::new(&bytes, self.keys_of(page)).and_then(|keys| keys.rank(key));
            let rank = read.map_err(self.damaged(page))?;
            if rank > 0 || page == 0 {
                return Ok(page * KEYS_PER_PAGE + u32::try_from(rank).map_err(Error::internal)?);
            }
            page -= 1;
        }
    }

    fn number_bounds(&mut self) -> Vec<NumberBounds> {
        let events = self.header.events;
        let positions = |page: u32| page * KEYS_PER_PAGE..events.min((page + 1) * KEYS_PER_PAGE);
        let bounds = (0..).zip(&self.header.bounds);
        let known: Vec<NumberBounds> = bounds
            .map(|(page, (least, greatest))| NumberBounds {
                positions: positions(page),
                least: *least,
                greatest: *greatest,
            })
            .collect();
        if known.is_empty() && events > 0 {
            // An older program wrote the run.
            return vec![NumberBounds { positions: 0..events, least: i64::MIN, greatest: i64::MAX }];
        }
        known
    }

    fn frequency(&mut self, dimension: Dimension, value: u32) -> Result<u32> {
        let Some(section) = self.section(dimension) else { return Ok(0) };
        if let Ok(index) = section.cut.binary_search_by_key(&value, |(value, _)| *value) {
            return Ok(section.cut.get(index).map_or(0, |(_, count)| *count));
        }
        // A list that is not cut lies on one page, the last one that may have its first position.
        let page = section.pages_of(value, &(0..1)).start;
        let bytes = self.pages.get(page)?;
        count(&bytes, self.header.events, value).map_err(self.damaged(page))
    }

    fn postings(&mut self, dimension: Dimension, value: u32, within: Range<u32>) -> Result<PositionSet> {
        let within = within.start..within.end.min(self.header.events);
        let (Some(section), false) = (self.section(dimension), within.is_empty()) else {
            return Ok(PositionSet::Sparse(Vec::new()));
        };
        let pages = section.pages_of(value, &within);
        let mut collector = Collector::new(within.clone());
        for page in pages.clone() {
            if ((page - pages.start) as usize).is_multiple_of(AT_ONCE) {
                self.pages.load(page..pages.end)?;
            }
            let bytes = self.pages.get(page)?;
            collect(&bytes, self.header.events, value, &within, &mut collector).map_err(self.damaged(page))?;
        }
        Ok(collector.finish())
    }

    fn keys(&mut self, positions: &[u32]) -> Result<Vec<EventPosition>> {
        let mut found = Vec::with_capacity(positions.len());
        let mut keys = Vec::with_capacity(KEYS_PER_BLOCK as usize);
        self.by_page(0, KEYS_PER_PAGE, positions, |run, page, bytes, positions| {
            let read = KeyPage::new(bytes, run.keys_of(page)).map_err(run.damaged(page))?;
            for part in positions.chunk_by(|one, other| one / KEYS_PER_BLOCK == other / KEYS_PER_BLOCK) {
                let block = part.first().map_or(0, |first| first % KEYS_PER_PAGE / KEYS_PER_BLOCK);
                read.block(block as usize, &mut keys).map_err(run.damaged(page))?;
                for position in part {
                    let key = keys.get((position % KEYS_PER_BLOCK) as usize).copied().unwrap_or_default();
                    found.push(run.position_of(page, key)?);
                }
            }
            Ok(())
        })?;
        Ok(found)
    }

    fn column(&mut self, column: Column, positions: &[u32]) -> Result<Vec<Option<u32>>> {
        let Some(section) = self.section(dimension_of(column)) else { return Ok(vec![None; positions.len()]) };
        let Some(first_page) = section.column_page else {
            let values = self.derived(column)?;
            return Ok(positions.iter().map(|at| values.get(*at as usize).copied().flatten()).collect());
        };
        let mut found = Vec::with_capacity(positions.len());
        self.by_page(first_page, VALUES_PER_PAGE, positions, |run, page, bytes, positions| {
            let count = run.header.events.saturating_sub(page * VALUES_PER_PAGE).min(VALUES_PER_PAGE);
            let read = ColumnPage::new(bytes, count as usize).map_err(run.damaged(first_page + page))?;
            for position in positions {
                let value = read.get((position % VALUES_PER_PAGE) as usize);
                found.push(value.map_err(run.damaged(first_page + page))?);
            }
            Ok(())
        })?;
        Ok(found)
    }
}

/// The number of positions of a value that one page has.
fn count(page: &[u8], events: u32, value: u32) -> Result<u32, Flaw> {
    let page = ListPageReader::new(page, events)?;
    let mut place = page.group_of(value)?;
    let mut count = 0_u32;
    while let Some(chunk) = page.next(&mut place)?.filter(|chunk| chunk.value <= value) {
        if chunk.value == value {
            count = count.saturating_add(chunk.count);
        }
    }
    Ok(count.min(events))
}

/// Collects the positions of a value that one page has.
fn collect(page: &[u8], events: u32, value: u32, within: &Range<u32>, collector: &mut Collector) -> Result<(), Flaw> {
    let page = ListPageReader::new(page, events)?;
    let mut place = page.group_of(value)?;
    // A chunk ends where the next one of its list begins, so it waits for that one.
    let mut waiting: Option<Chunk<'_>> = None;
    loop {
        let next = page.next(&mut place)?.filter(|chunk| chunk.value <= value);
        let end = next.filter(|chunk| chunk.value == value).map_or(events, |chunk| chunk.first);
        if let Some(chunk) = waiting.take_if(|_| end > within.start) {
            collector.expect(chunk.count);
            chunk.decode(collector)?;
        }
        waiting = match next {
            None => return Ok(()),
            Some(chunk) if chunk.value < value => None,
            Some(chunk) if chunk.first >= within.end => return Ok(()),
            next => next,
        };
    }
}
