//! Lists of events.

use trailkeeper_domain::event::{EventFilter, EventPosition, StoredEvent};
use trailkeeper_domain::ports::{NumberRange, PostingReads};
use trailkeeper_domain::{Error, Result};
use trailkeeper_postings::query::{Query, Sources};

use super::super::Tx;
use super::asked::Asked;
use crate::generation::Generation;

/// The number of events whose texts are compared at once when a list by page number skips events.
const SKIPPED_AT_ONCE: usize = 1_000;

impl Tx<'_> {
    /// See `EventReads::events`.
    pub(in super::super) fn list_by_postings(
        &mut self,
        generations: &[Generation],
        filter: &EventFilter,
        after: Option<EventPosition>,
        limit: usize,
    ) -> Result<Vec<StoredEvent>> {
        let asked = self.asked(filter)?;
        let seqs = self.newest_by_postings(generations, &asked, after, limit)?;
        self.rows_of_index(&asked, &seqs)
    }

    /// See `EventReads::events_at_offset`.
    pub(in super::super) fn list_at_offset_by_postings(
        &mut self,
        generations: &[Generation],
        filter: &EventFilter,
        offset: u64,
        limit: usize,
    ) -> Result<Vec<StoredEvent>> {
        let asked = self.asked(filter)?;
        let query = asked.possible();
        if !asked.has_hashes() {
            let found =
                self.ask(generations, asked.scope, &query, |sources| sources.at_offset(&query, offset, limit))?;
            return self.rows_of_index(&asked, &found.iter().map(|position| position.seq).collect::<Vec<_>>());
        }
        let (mut after, mut left) = (None, offset);
        while left > 0 {
            let some = usize::try_from(left).unwrap_or(usize::MAX).min(SKIPPED_AT_ONCE);
            let found = self.ask(generations, asked.scope, &query, |sources| sources.newest(&query, after, some))?;
            let seqs: Vec<i64> = found.iter().map(|position| position.seq).collect();
            left -= u64::try_from(self.with_texts(&asked, &seqs)?.len()).map_err(Error::internal)?;
            if found.len() < some {
                return Ok(Vec::new());
            }
            after = found.last().copied();
        }
        let seqs = self.newest_by_postings(generations, &asked, after, limit)?;
        self.rows_of_index(&asked, &seqs)
    }

    /// See `FeedReads::events_by_number`.
    pub(in super::super) fn first_stored_by_postings(
        &mut self,
        generations: &[Generation],
        filter: &EventFilter,
        mut range: NumberRange,
        limit: usize,
    ) -> Result<Vec<StoredEvent>> {
        let asked = self.asked(filter)?;
        let seqs = self.matching_by_postings(generations, &asked, limit, |sources, query, wanted| {
            let found = sources.first_stored(query, range, wanted)?;
            range.after = found.last().map_or(range.after, |last| last.seq);
            Ok(found)
        })?;
        self.rows_of_index(&asked, &seqs)
    }

    /// The numbers of the newest events.
    fn newest_by_postings(
        &mut self,
        generations: &[Generation],
        asked: &Asked<'_>,
        mut after: Option<EventPosition>,
        limit: usize,
    ) -> Result<Vec<i64>> {
        self.matching_by_postings(generations, asked, limit, |sources, query, wanted| {
            let found = sources.newest(query, after, wanted)?;
            after = found.last().copied().or(after);
            Ok(found)
        })
    }

    /// The numbers of the events that `next` finds one after the other, at most `limit`. `next` gets the query and how many
    /// events are wanted, and goes on behind the last event that it found. Events whose texts differ are left out.
    fn matching_by_postings(
        &mut self,
        generations: &[Generation],
        asked: &Asked<'_>,
        limit: usize,
        mut next: impl FnMut(&mut Sources<'_>, &Query, usize) -> Result<Vec<EventPosition>>,
    ) -> Result<Vec<i64>> {
        let query = asked.possible();
        let mut seqs = Vec::new();
        loop {
            let wanted = limit - seqs.len();
            let found = self.ask(generations, asked.scope, &query, |sources| next(sources, &query, wanted))?;
            let is_last = found.len() < wanted;
            let mut found: Vec<i64> = found.into_iter().map(|position| position.seq).collect();
            if asked.has_hashes() {
                let matching = self.with_texts(asked, &found)?;
                found.retain(|seq| matching.contains(seq));
            }
            seqs.extend(found);
            if is_last || seqs.len() == limit {
                return Ok(seqs);
            }
        }
    }

    /// The events with these numbers, which are in the index and so have rows.
    fn rows_of_index(&mut self, asked: &Asked<'_>, seqs: &[i64]) -> Result<Vec<StoredEvent>> {
        let found = match asked.resolved.buckets[..] {
            [bucket] => self.inside(bucket, |tx| tx.events_by_seq(seqs))?,
            _ => self.events_by_seq(seqs)?,
        };
        if found.len() == seqs.len() {
            return Ok(found);
        }
        // A shorter list would look like the end of the list.
        let lost = seqs.iter().find(|seq| found.iter().all(|stored| stored.seq != **seq));
        Err(Error::internal(format!(
            "the index of events has the event {lost:?}, and the table events does not; run `trailkeeper rebuild`"
        )))
    }
}
