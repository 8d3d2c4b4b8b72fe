//! Walks over all lists of a dimension.

use trailkeeper_domain::Result;

use super::flaw::Flaw;
use super::format::KEYS_PER_PAGE;
use super::format::pages;
use super::key::Key;
use super::key_page::KeyPage;
use super::list_page::{ListPageReader, Place};
use super::pages::Page;
use super::reader::RunReader;
use crate::dimension::Dimension;
use crate::page_source::PageSource;

/// The pages that a walk reads at once: a merge has many walks at a time.
const AHEAD: u32 = 16;

/// A place in the lists of one dimension of a run.
pub(super) struct ListCursor {
    page: u32,
    end: u32,
    current: Option<(Page, Place)>,
    /// The value of the next list.
    pub value: Option<u32>,
}

impl<S: PageSource> RunReader<S> {
    /// A cursor at the first list of a dimension.
    pub(super) fn lists(&mut self, dimension: Dimension) -> Result<ListCursor> {
        let pages =
            self.section(dimension).map_or(0..0, |section| section.first_page..section.first_page + section.pages());
        let mut cursor = ListCursor { page: pages.start, end: pages.end, current: None, value: None };
        self.peek(&mut cursor)?;
        Ok(cursor)
    }

    /// Replaces the content of `positions` by the next list, and goes on to the one after it.
    pub(super) fn next_list(&mut self, cursor: &mut ListCursor, positions: &mut Vec<u32>) -> Result<()> {
        positions.clear();
        let value = cursor.value;
        while value.is_some() && cursor.value == value {
            let Some((page, place)) = &mut cursor.current else { break };
            let events = self.header.events;
            let read = ListPageReader::new(page, events).and_then(|page| {
                let mut next = *place;
                while let Some(chunk) = page.next(&mut next)?.filter(|chunk| Some(chunk.value) == value) {
                    if positions.last().is_some_and(|last| *last >= chunk.first) {
                        return Err(Flaw::new(0, "the chunks of a list do not ascend"));
                    }
                    chunk.decode(positions)?;
                    *place = next;
                }
                Ok(())
            });
            read.map_err(self.damaged(cursor.page))?;
            self.peek(cursor)?;
        }
        Ok(())
    }

    /// Finds the value of the next list, on the next page if need be.
    fn peek(&mut self, cursor: &mut ListCursor) -> Result<()> {
        let before = cursor.value.take();
        loop {
            if let Some((page, place)) = &cursor.current {
                let next = ListPageReader::new(page, self.header.events).and_then(|page| page.next(&mut place.clone()));
                if let Some(chunk) = next.map_err(self.damaged(cursor.page))? {
                    if before.is_some_and(|before| before > chunk.value) {
                        let flaw = Flaw::new(0, "the values of lists do not ascend");
                        return Err(self.pages.damaged(cursor.page, flaw));
                    }
                    cursor.value = Some(chunk.value);
                    return Ok(());
                }
                cursor.page += 1;
                cursor.current = None;
            }
            if cursor.page >= cursor.end {
                return Ok(());
            }
            self.ahead(cursor.page, cursor.end)?;
            let page = self.pages.get(cursor.page)?;
            let start = ListPageReader::new(&page, self.header.events).map(|page| page.start());
            let start = start.map_err(self.damaged(cursor.page))?;
            cursor.current = Some((page, start));
        }
    }

    /// Calls `each` with every list of a dimension, ascending by value.
    pub(super) fn each_list(
        &mut self,
        dimension: Dimension,
        mut each: impl FnMut(u32, &[u32]) -> Result<()>,
    ) -> Result<()> {
        let mut cursor = self.lists(dimension)?;
        let mut positions = Vec::new();
        while let Some(value) = cursor.value {
            self.next_list(&mut cursor, &mut positions)?;
            each(value, &positions)?;
        }
        Ok(())
    }

    /// The keys of one page; `None` after the last page.
    pub(super) fn page_of_keys(&mut self, page: u32) -> Result<Option<Vec<Key>>> {
        let end = pages(self.header.events, KEYS_PER_PAGE);
        if page >= end {
            return Ok(None);
        }
        self.ahead(page, end)?;
        let bytes = self.pages.get(page)?;
        let keys = KeyPage::new(&bytes, self.keys_of(page)).and_then(|keys| keys.all());
        keys.map(Some).map_err(self.damaged(page))
    }

    /// Reads some pages at once, if this one is not cached: pages are walked over in their order.
    fn ahead(&mut self, page: u32, end: u32) -> Result<()> {
        if self.pages.has(page) { Ok(()) } else { self.pages.load(page..end.min(page.saturating_add(AHEAD))) }
    }
}
