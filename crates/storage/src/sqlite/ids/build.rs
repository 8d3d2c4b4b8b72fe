//! Writes a run page by page.

use diesel::result::QueryResult;
use trailkeeper_postings::bits::checksum;

use super::super::Conn;
use super::filter::Filter;
use super::page::{Entry, Page, PageBuilder};
use super::rows;
use super::run::{Run, RunKey, header_of};

/// A run that is being written. It is invisible until its row is.
#[derive(Debug)]
pub struct RunBuilder {
    run: i64,
    ids: i64,
    page: PageBuilder,
    fences: Vec<u64>,
    filter: Filter,
}

/// A run whose pages are written, and the header for its row.
#[derive(Debug)]
pub struct Written {
    pub run: Run,
    pub header: Vec<u8>,
}

impl RunBuilder {
    /// A run of this number for so many ids. Its filter takes at most `budget` bytes.
    pub fn new(run: i64, ids: u64, budget: u64) -> Self {
        Self { run, ids: 0, page: PageBuilder::default(), fences: Vec::new(), filter: Filter::new(ids, budget) }
    }

    /// Adds the next entry, which is not smaller than the last one.
    pub fn push(&mut self, conn: &mut Conn, entry: Entry) -> QueryResult<()> {
        self.filter.insert(entry.key);
        self.ids += 1;
        match self.page.push(entry) {
            Some(page) => self.write(conn, &page),
            None => Ok(()),
        }
    }

    fn write(&mut self, conn: &mut Conn, page: &Page) -> QueryResult<()> {
        rows::insert_page(conn, self.run, self.fences.len(), page)?;
        self.fences.push(page.fence);
        Ok(())
    }

    /// Writes the last page. The run is that of the events after `after_seq` up to `last_seq`.
    pub fn finish(mut self, conn: &mut Conn, after_seq: i64, last_seq: i64) -> QueryResult<Written> {
        if let Some(page) = self.page.finish() {
            self.write(conn, &page)?;
        }
        let header = header_of(&self.fences);
        let key = RunKey {
            run: self.run,
            after_seq,
            last_seq,
            ids: self.ids,
            pages: i64::try_from(self.fences.len()).unwrap_or(i64::MAX),
            checksum: i64::from(checksum(&header)),
        };
        let run = Run::new(key, &header).map_err(|error| rows::unreadable(&format!("a new run of ids: {error}")))?;
        // It was made empty.
        drop(run.filter.set(self.filter));
        Ok(Written { run, header })
    }
}

/// Writes the run of these entries, which need not be sorted, under this number.
pub fn write(
    conn: &mut Conn,
    run: i64,
    mut entries: Vec<Entry>,
    after_seq: i64,
    last_seq: i64,
    budget: u64,
) -> QueryResult<Written> {
    entries.sort_unstable();
    let mut builder = RunBuilder::new(run, entries.len() as u64, budget);
    for entry in entries {
        builder.push(conn, entry)?;
    }
    builder.finish(conn, after_seq, last_seq)
}
