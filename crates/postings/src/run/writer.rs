//! Writes the pages and the header of a run from its keys and lists, both in their order.

use trailkeeper_domain::{Error, Result};

use super::column_page;
use super::format::{CHUNK, INLINE_LEN, KEYS_PER_PAGE, MAX_EVENTS, VALUES_PER_PAGE};
use super::header::{Header, Section};
use super::key::{Key, number_bounds};
use super::key_page;
use super::list_page::ListPage;
use crate::bits::seal;
use crate::dimension::Dimension;
use crate::value::column_of;

/// Takes the pages of a run in the order of their numbers, which begin at 0.
pub type PageSink<'s> = dyn FnMut(u32, Vec<u8>) -> Result<()> + 's;

/// The same keys and lists give the same bytes, wherever they come from.
pub(super) struct RunWriter<'s> {
    header: Header,
    output: Output<'s>,
    keys: Vec<Key>,
    written_keys: u32,
    lists: ListPage,
    current: Option<Current>,
}

/// The dimension whose lists are written.
struct Current {
    section: Section,
    last_value: Option<u32>,
    column: Option<Vec<Option<u32>>>,
}

impl<'s> RunWriter<'s> {
    /// A writer of a run of exactly this many events.
    pub fn new(events: u32, sink: &'s mut PageSink<'s>) -> Result<Self> {
        if events > MAX_EVENTS {
            return Err(Error::internal(format!("a posting run of {events} events; {MAX_EVENTS} are the most")));
        }
        Ok(Self {
            header: Header { events, ..Header::default() },
            output: Output { sink, next: 0, held: Vec::new(), len: 0, inline: true },
            keys: Vec::new(),
            written_keys: 0,
            lists: ListPage::default(),
            current: None,
        })
    }

    /// Writes the key of the next event. All keys come before the first list.
    pub fn key(&mut self, key: Key) -> Result<()> {
        if self.written_keys == 0 {
            self.header.first = key;
        } else if key <= self.header.last {
            return Err(Error::internal(format!("event {} is twice in a posting run", key.seq)));
        }
        if self.keys.is_empty() && self.written_keys > 0 {
            self.header.numbered |= self.header.key_fences.last().unwrap_or(&self.header.first).time == key.time;
            self.header.key_fences.push(key);
        }
        self.header.last = key;
        self.keys.push(key);
        self.written_keys += 1;
        if self.keys.len() == KEYS_PER_PAGE as usize {
            self.finish_keys()?;
        }
        Ok(())
    }

    fn finish_keys(&mut self) -> Result<()> {
        if let Some(bounds) = number_bounds(&self.keys) {
            self.header.bounds.push(bounds);
            self.output.push(key_page::encode(&self.keys), Kind::Needed)?;
            self.keys.clear();
        }
        Ok(())
    }

    /// Begins a dimension, which is greater than the one before.
    pub fn dimension(&mut self, dimension: Dimension) -> Result<()> {
        self.finish_keys()?;
        self.finish_dimension()?;
        let column = column_of(dimension).map(|_| vec![None; self.header.events as usize]);
        let section = Section { dimension, first_page: 0, fences: Vec::new(), cut: Vec::new(), column_page: None };
        self.current = Some(Current { section, last_value: None, column });
        Ok(())
    }

    /// Writes the list of a value, which is greater than the one before. Positions ascend and are below the number of
    /// events.
    pub fn list(&mut self, value: u32, positions: &[u32]) -> Result<()> {
        let Some(current) = &mut self.current else {
            return Err(Error::internal("a posting list without a dimension"));
        };
        if current.last_value.is_some_and(|last| last >= value) {
            return Err(Error::internal(format!("the posting list of {value} comes after a greater one")));
        }
        current.last_value = Some(value);
        let mut pages = 0;
        for (index, chunk) in positions.chunks(CHUNK).enumerate() {
            if !self.lists.push(value, chunk, self.header.events) {
                if let Some(page) = self.lists.finish() {
                    self.output.push(page, Kind::Needed)?;
                }
                let continued = if index == 0 { 0 } else { chunk.first().copied().unwrap_or_default() };
                current.section.fences.push((value, continued));
                pages += u32::from(index > 0);
                self.lists.push(value, chunk, self.header.events);
            }
        }
        if pages > 0 {
            let count = u32::try_from(positions.len()).map_err(Error::internal)?;
            current.section.cut.push((value, count));
        }
        if let Some(column) = &mut current.column {
            for position in positions {
                match column.get_mut(*position as usize) {
                    Some(slot) => *slot = Some(value),
                    None => return Err(Error::internal("a position is not below the number of events of its run")),
                }
            }
        }
        Ok(())
    }

    /// A dimension without lists leaves nothing.
    fn finish_dimension(&mut self) -> Result<()> {
        let Some(current) = self.current.take() else { return Ok(()) };
        let Some(page) = self.lists.finish() else { return Ok(()) };
        self.output.push(page, Kind::Needed)?;
        for values in current.column.iter().flat_map(|column| column.chunks(VALUES_PER_PAGE as usize)) {
            self.output.push(column_page::encode(values), Kind::Column)?;
        }
        self.header.sections.push(current.section);
        Ok(())
    }

    /// Writes the last pages, and returns the header.
    pub fn finish(mut self) -> Result<Vec<u8>> {
        self.finish_keys()?;
        self.finish_dimension()?;
        if self.written_keys != self.header.events {
            let (keys, events) = (self.written_keys, self.header.events);
            return Err(Error::internal(format!("{keys} keys in a posting run of {events} events")));
        }
        if !self.header.numbered {
            self.header.key_fences.iter_mut().for_each(|fence| fence.seq = 0);
        }
        self.header.inline = self.output.finish();
        Ok(self.header.encode())
    }
}

/// Whether a page is needed in a run whose pages lie in the header.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Kind {
    Needed,
    /// A small run has no columns: its lists give the values.
    Column,
}

/// Holds the pages back as long as they may fit into the header.
struct Output<'s> {
    sink: &'s mut PageSink<'s>,
    next: u32,
    held: Vec<(Kind, Vec<u8>)>,
    /// The bytes of the needed pages.
    len: usize,
    inline: bool,
}

impl Output<'_> {
    fn push(&mut self, page: Vec<u8>, kind: Kind) -> Result<()> {
        if !self.inline {
            return self.write(page);
        }
        if kind == Kind::Needed {
            self.len += page.len();
        }
        self.held.push((kind, page));
        if self.len > INLINE_LEN {
            self.inline = false;
            for (_, page) in std::mem::take(&mut self.held) {
                self.write(page)?;
            }
        }
        Ok(())
    }

    fn write(&mut self, mut page: Vec<u8>) -> Result<()> {
        seal(&mut page);
        (self.sink)(self.next, page)?;
        self.next += 1;
        Ok(())
    }

    /// The pages that lie in the header.
    fn finish(self) -> Option<Vec<Vec<u8>>> {
        let needed = self.held.into_iter().filter(|(kind, _)| *kind == Kind::Needed);
        self.inline.then(|| needed.map(|(_, page)| page).collect())
    }
}
