//! The pages of a run, as its readers ask for them: checked, and cached for a while.

use std::collections::BTreeMap;
use std::sync::Arc;

use trailkeeper_domain::error::Context;
use trailkeeper_domain::{Error, Result};

use super::flaw::Flaw;
use crate::bits::{CHECKSUM_LEN, unsealed};
use crate::page_source::PageSource;

/// The bytes of a page, without its checksum.
pub(super) type Page = Arc<Vec<u8>>;

/// The most bytes that a reader caches.
const CACHE_LEN: usize = 1 << 20;
/// The most pages that are read at once: a round trip to the database costs as much as some pages.
pub(super) const AT_ONCE: usize = 64;

/// The pages of one run.
#[derive(Debug)]
pub(super) struct Pages<S> {
    source: S,
    /// Pages that lie inside the header.
    inline: Option<Vec<Page>>,
    /// Pages with the time of their last use.
    cached: BTreeMap<u32, (u64, Page)>,
    len: usize,
    uses: u64,
}

impl<S: PageSource> Pages<S> {
    pub fn new(source: S, inline: Option<Vec<Vec<u8>>>) -> Self {
        let inline = inline.map(|pages| pages.into_iter().map(Arc::new).collect());
        Self { source, inline, cached: BTreeMap::new(), len: 0, uses: 0 }
    }

    pub fn into_source(self) -> S {
        self.source
    }

    /// One page.
    pub fn get(&mut self, page: u32) -> Result<Page> {
        self.load([page])?;
        let found = match &self.inline {
            Some(pages) => pages.get(page as usize).cloned(),
            None => self.cached.get_mut(&page).map(|(used, bytes)| {
                *used = self.uses;
                Arc::clone(bytes)
            }),
        };
        found.ok_or_else(|| Error::internal(format!("{} has no page {page}", self.source.name())))
    }

    /// Whether a page is read already.
    pub fn has(&self, page: u32) -> bool {
        self.inline.is_some() || self.cached.contains_key(&page)
    }

    /// Reads those of the next 64 pages that are not cached, so that [`Self::get`] finds them.
    pub fn load(&mut self, pages: impl IntoIterator<Item = u32>) -> Result<()> {
        if self.inline.is_some() {
            return Ok(());
        }
        self.uses += 1;
        let mut missing = Vec::new();
        for page in pages.into_iter().take(AT_ONCE) {
            match self.cached.get_mut(&page) {
                // It must not make room for the others.
                Some((used, _)) => *used = self.uses,
                None => missing.push(page),
            }
        }
        if missing.is_empty() {
            return Ok(());
        }
        let read = self.source.pages(&missing)?;
        if read.len() != missing.len() {
            let (name, read, missing) = (self.source.name(), read.len(), missing.len());
            return Err(Error::internal(format!("{read} pages of {name} were read instead of {missing}")));
        }
        for (page, mut bytes) in missing.into_iter().zip(read) {
            unsealed(&bytes).map_err(|error| self.damaged(page, error.into()))?;
            bytes.truncate(bytes.len() - CHECKSUM_LEN);
            self.len += bytes.len();
            self.cached.insert(page, (self.uses, Arc::new(bytes)));
        }
        self.evict();
        Ok(())
    }

    /// Drops the pages that were not used for the longest time, but none of the present use.
    fn evict(&mut self) {
        while self.len > CACHE_LEN {
            let oldest = self.cached.iter().min_by_key(|(_, (used, _))| *used).map(|(page, (used, _))| (*page, *used));
            match oldest {
                Some((page, used)) if used < self.uses => {
                    self.len -= self.cached.remove(&page).map_or(0, |(_, bytes)| bytes.len());
                }
                _ => return,
            }
        }
    }

    /// The error of a page that cannot be read.
    pub fn damaged(&self, page: u32, flaw: Flaw) -> Error {
        let (name, offset) = (self.source.name(), flaw.offset);
        Error::internal(Context::new(format!("page {page} of {name} is unreadable at byte {offset}"), flaw))
    }

    /// The run in an error message.
    pub fn name(&self) -> String {
        self.source.name()
    }
}
