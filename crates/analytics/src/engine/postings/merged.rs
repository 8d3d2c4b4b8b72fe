//! Runs that are made of new events and of stored runs.

use trailkeeper_domain::ports::{PostingRunKey, Store};
use trailkeeper_domain::scope::Level;
use trailkeeper_domain::{Error, Result};
use trailkeeper_postings::page_source::PageSource;
use trailkeeper_postings::run::{PageSink, RunBuilder, RunReader, merge_runs};

use super::source::{HeldPages, StoredPages};
use super::tiers::SizedRun;

/// Stored runs of one scope and month.
#[derive(Clone, Copy)]
pub struct Stored<'a> {
    /// The database.
    pub store: &'a dyn Store,
    /// The generation of the runs.
    pub generation: i64,
    /// The keys of the runs.
    pub keys: &'a [PostingRunKey],
}

/// The keys of runs.
pub fn keys(runs: &[SizedRun]) -> Vec<PostingRunKey> {
    runs.iter().map(|(key, ..)| *key).collect()
}

/// Passes the pages of the run of some new events and all events of stored runs to `sink`. Returns the number of events and
/// the header.
///
/// # Errors
/// [`Error::Internal`] if a stored run is missing or damaged; those of the store and of `sink`.
pub fn merged(new: Option<RunBuilder>, stored: Stored<'_>, sink: &mut PageSink<'_>) -> Result<(u32, Vec<u8>)> {
    let Some(first) = stored.keys.first() else {
        let new = new.ok_or_else(|| Error::internal("a run has no events"))?;
        let events = u32::try_from(new.len()).map_err(Error::internal)?;
        return Ok((events, new.finish(sink)?));
    };
    let mut runs = Vec::with_capacity(stored.keys.len() + 1);
    if let Some(new) = new {
        let mut pages = HeldPages::default();
        let header = new.finish(&mut |_, page| {
            pages.0.push(page);
            Ok(())
        })?;
        let pages: Box<dyn PageSource + '_> = Box::new(pages);
        runs.push(RunReader::open(&header, None, pages)?);
    }
    let Stored { store, generation, keys } = stored;
    let of_month = store.reading(|tx| tx.posting_runs(generation, first.scope, Level::Month.range(first.month)))?;
    let readers = runs.len();
    for old in of_month.into_iter().filter(|old| keys.contains(&old.key)) {
        let pages: Box<dyn PageSource + '_> = Box::new(StoredPages::new(store, generation, old.key));
        runs.push(RunReader::open(&old.header, old.removed.as_deref(), pages)?);
    }
    if runs.len() != readers + keys.len() {
        return Err(Error::internal("a run that was listed is missing"));
    }
    let merged = merge_runs(&mut runs, sink)?;
    Ok((merged.events, merged.header))
}
