//! A run as a database stores it.

use trailkeeper_domain::Result;
use trailkeeper_domain::indexed_event::IndexedEvent;
use trailkeeper_domain::scope::Scope;
use trailkeeper_postings::page_source::PageSource;
use trailkeeper_postings::positions::PositionSet;
use trailkeeper_postings::run::{MergedRun, RunBuilder, RunReader, encode_removed, merge_runs};

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StoredRun {
    pub header: Vec<u8>,
    pub pages: Vec<Vec<u8>>,
    pub removed: Option<Vec<u8>>,
}

impl StoredRun {
    /// The run that the builder makes.
    pub fn built(scope: Scope, events: &[IndexedEvent]) -> Self {
        let mut builder = RunBuilder::new(scope);
        for event in events {
            builder.add(event).unwrap();
        }
        let mut pages = Vec::new();
        let header = builder
            .finish(&mut |number, page| {
                collect(&mut pages, number, page);
                Ok(())
            })
            .unwrap();
        Self { header, pages, removed: None }
    }

    /// The run that merging makes, and its number of events.
    pub fn merged(runs: &[Self]) -> Result<(Self, u32)> {
        let mut pages = Vec::new();
        let mut readers: Vec<_> = runs.iter().map(Self::open).collect();
        let MergedRun { events, header } = merge_runs(&mut readers, &mut |number, page| {
            collect(&mut pages, number, page);
            Ok(())
        })?;
        Ok((Self { header, pages, removed: None }, events))
    }

    pub fn without(mut self, positions: Vec<u32>) -> Self {
        self.removed = Some(encode_removed(&PositionSet::Sparse(positions)));
        self
    }

    pub fn try_open(&self) -> Result<RunReader<MemoryPages<'_>>> {
        RunReader::open(&self.header, self.removed.as_deref(), MemoryPages { run: self, read: Vec::new() })
    }

    pub fn open(&self) -> RunReader<MemoryPages<'_>> {
        self.try_open().unwrap()
    }

    pub fn len(&self) -> usize {
        self.header.len() + self.pages.iter().map(Vec::len).sum::<usize>()
    }
}

fn collect(pages: &mut Vec<Vec<u8>>, number: u32, page: Vec<u8>) {
    assert_eq!(number as usize, pages.len());
    assert!(page.len() <= 32 << 10, "a page of {} bytes", page.len());
    pages.push(page);
}

/// Pages in memory, with the number of pages of each call.
#[derive(Debug)]
pub struct MemoryPages<'a> {
    run: &'a StoredRun,
    pub read: Vec<usize>,
}

impl PageSource for MemoryPages<'_> {
    fn pages(&mut self, pages: &[u32]) -> Result<Vec<Vec<u8>>> {
        self.read.push(pages.len());
        Ok(pages.iter().filter_map(|page| self.run.pages.get(*page as usize).cloned()).collect())
    }

    fn name(&self) -> String {
        "posting run 7".to_owned()
    }
}

/// The positions of a set, by definition.
pub fn positions_of(set: &PositionSet) -> Vec<u32> {
    match set {
        PositionSet::Sparse(positions) => positions.clone(),
        PositionSet::All(range) => range.clone().collect(),
        PositionSet::Dense { start, words } => (0..words.len() * 64)
            .filter(|bit| words[bit / 64] >> (bit % 64) & 1 == 1)
            .map(|bit| start + u32::try_from(bit).unwrap())
            .collect(),
    }
}
