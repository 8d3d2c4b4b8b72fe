//! A run that one transaction can write.

use trailkeeper_domain::Result;
use trailkeeper_domain::ports::{PostingRun, PostingRunKey, WriteTx};

/// A new run with its pages, and the older runs that it replaces.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct MadeRun {
    /// The run.
    pub run: PostingRun,
    /// Its pages, unless they lie in the header.
    pub pages: Vec<Vec<u8>>,
    /// The runs whose events it has.
    pub replaced: Vec<PostingRunKey>,
}

impl MadeRun {
    /// The size of the header and the pages in bytes.
    pub fn bytes(&self) -> u64 {
        self.pages.iter().chain([&self.run.header]).map(|bytes| bytes.len() as u64).sum()
    }

    /// Writes these runs and makes them visible in place of those that they replace.
    ///
    /// # Errors
    /// Those of the store.
    pub fn write_all(tx: &mut dyn WriteTx, generation: i64, made: &[Self]) -> Result<()> {
        for MadeRun { run, pages, .. } in made.iter().filter(|made| !made.pages.is_empty()) {
            tx.put_posting_pages(generation, run.key, 0, pages)?;
        }
        let runs: Vec<PostingRun> = made.iter().map(|made| made.run.clone()).collect();
        tx.put_posting_runs(generation, &runs)?;
        let replaced: Vec<PostingRunKey> = made.iter().flat_map(|made| made.replaced.iter().copied()).collect();
        tx.delete_posting_runs(generation, &replaced)
    }
}
