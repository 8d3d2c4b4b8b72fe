//! A cache of what questions read of the runs of the index of events.

use std::sync::Arc;

use quick_cache::Weighter;
use quick_cache::sync::Cache;
use trailkeeper_domain::ports::PostingRunKey;

use crate::generation::Generation;

/// About how many bytes an entry takes in addition to its bytes: its key, its slots and a reference counter.
const PER_ENTRY: usize = 160;

/// The expected length of an entry, from which the tables get their first size.
const USUAL_LEN: usize = 4 << 10;

/// Headers and pages of runs, of all scopes together.
///
/// Inside a generation, a key identifies the same content forever ([`PostingRunKey`]), so an entry is never out of date;
/// it can only become useless. A transaction that has written runs must not use the cache, because it may be rolled back.
/// The removed positions of a run change, so they are not cached.
pub struct RunCache(Option<Cache<Part, Arc<Vec<u8>>, ByLength>>);

/// A part of a run.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
struct Part {
    generation: Generation,
    run: PostingRunKey,
    /// `None` is the header.
    page: Option<u32>,
}

#[derive(Clone)]
struct ByLength;

impl Weighter<Part, Arc<Vec<u8>>> for ByLength {
    fn weight(&self, _part: &Part, bytes: &Arc<Vec<u8>>) -> u64 {
        (bytes.len() + PER_ENTRY) as u64
    }
}

impl RunCache {
    /// An empty cache of about `max_bytes` bytes at most; with 0 it keeps nothing.
    pub fn new(max_bytes: usize) -> Self {
        let entries = max_bytes / (USUAL_LEN + PER_ENTRY);
        Self((max_bytes > 0).then(|| Cache::with_weighter(entries, max_bytes as u64, ByLength)))
    }

    /// The header of a run.
    pub fn header(&self, generation: Generation, run: PostingRunKey) -> Option<Arc<Vec<u8>>> {
        self.find(Part { generation, run, page: None })
    }

    /// Keeps the header of a run.
    pub fn put_header(&self, generation: Generation, run: PostingRunKey, header: &Arc<Vec<u8>>) {
        self.put(Part { generation, run, page: None }, header);
    }

    /// A page of a run.
    pub fn page(&self, generation: Generation, run: PostingRunKey, page: u32) -> Option<Arc<Vec<u8>>> {
        self.find(Part { generation, run, page: Some(page) })
    }

    /// Keeps a page of a run.
    pub fn put_page(&self, generation: Generation, run: PostingRunKey, page: u32, bytes: &Arc<Vec<u8>>) {
        self.put(Part { generation, run, page: Some(page) }, bytes);
    }

    fn find(&self, part: Part) -> Option<Arc<Vec<u8>>> {
        self.0.as_ref()?.get(&part)
    }

    fn put(&self, part: Part, bytes: &Arc<Vec<u8>>) {
        if let Some(cache) = &self.0 {
            cache.insert(part, Arc::clone(bytes));
        }
    }
}

#[cfg(test)]
mod tests {
    use trailkeeper_domain::bucket::Bucket;
    use trailkeeper_domain::scope::Scope;
    use trailkeeper_domain::time::Timestamp;

    use super::*;

    fn generation(number: i64) -> Generation {
        Generation { bucket: Bucket::FIRST, number }
    }

    fn run(number: u32) -> PostingRunKey {
        PostingRunKey { scope: Scope::Everyone, month: Timestamp::UNIX_EPOCH, run: number }
    }

    #[test]
    fn parts_are_found_by_generation_run_and_page() {
        let cache = RunCache::new(1 << 20);
        cache.put_header(generation(1), run(7), &Arc::new(vec![1]));
        cache.put_page(generation(1), run(7), 0, &Arc::new(vec![2]));
        cache.put_page(generation(1), run(7), 1, &Arc::new(vec![3]));
        let found = |part: Option<Arc<Vec<u8>>>| part.map(|bytes| bytes[0]);
        assert_eq!(found(cache.header(generation(1), run(7))), Some(1));
        assert_eq!([0, 1, 2].map(|page| found(cache.page(generation(1), run(7), page))), [Some(2), Some(3), None]);
        assert_eq!(
            (found(cache.header(generation(2), run(7))), found(cache.header(generation(1), run(8)))),
            (None, None)
        );
    }

    #[test]
    fn it_holds_no_more_than_it_may() {
        for (max_bytes, page_len) in [(0, 10), (1 << 20, 10), (1 << 20, 32 << 10)] {
            let cache = RunCache::new(max_bytes);
            let page = Arc::new(vec![0_u8; page_len]);
            for number in 0..20_000 {
                cache.put_page(generation(1), run(number % 50), number, &page);
            }
            let held =
                (0..20_000).filter(|number| cache.page(generation(1), run(number % 50), *number).is_some()).count();
            assert!(held * page_len <= max_bytes, "{held} pages of {page_len}");
            assert_eq!(held > 0, max_bytes > 0);
        }
    }
}
