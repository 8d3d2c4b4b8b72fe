//! Where the pages of runs come from.

use trailkeeper_domain::ports::{PostingRunKey, Store};
use trailkeeper_domain::{Error, Result};
use trailkeeper_postings::page_source::PageSource;

use super::run_name;

/// The pages of a stored run. Each call reads in a transaction of its own, so that a long merge holds no snapshot.
///
/// Only the holder of the lease may use it: the pages stay as they are until it removes them.
pub struct StoredPages<'a> {
    store: &'a dyn Store,
    generation: i64,
    key: PostingRunKey,
}

impl<'a> StoredPages<'a> {
    /// The pages of the run with this key.
    pub fn new(store: &'a dyn Store, generation: i64, key: PostingRunKey) -> Self {
        Self { store, generation, key }
    }
}

impl PageSource for StoredPages<'_> {
    fn pages(&mut self, pages: &[u32]) -> Result<Vec<Vec<u8>>> {
        self.store.reading(|tx| tx.posting_pages(self.generation, self.key, pages))
    }

    fn name(&self) -> String {
        run_name(self.key)
    }
}

/// The pages of a run that is not stored yet.
#[derive(Debug, Default)]
pub struct HeldPages(pub Vec<Vec<u8>>);

impl PageSource for HeldPages {
    fn pages(&mut self, pages: &[u32]) -> Result<Vec<Vec<u8>>> {
        let page = |page: &u32| self.0.get(*page as usize).cloned();
        let lost = |number: &u32| Error::internal(format!("a run in memory has no page {number}"));
        pages.iter().map(|number| page(number).ok_or_else(|| lost(number))).collect()
    }

    fn name(&self) -> String {
        "a posting run in memory".to_owned()
    }
}
