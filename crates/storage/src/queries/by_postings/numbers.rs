//! Counts, histograms and numbers of users.

use trailkeeper_domain::Result;
use trailkeeper_domain::event::EventFilter;
use trailkeeper_domain::time::Timestamp;
use trailkeeper_postings::dimension::Column;

use super::super::Tx;
use crate::generation::Generation;

impl Tx<'_> {
    /// See `EventReads::count_events`.
    pub(in super::super) fn count_by_postings(
        &mut self,
        generations: &[Generation],
        filter: &EventFilter,
    ) -> Result<u64> {
        let asked = self.asked(filter)?;
        let query = asked.certain();
        let mut count = self.ask(generations, asked.scope, &query, |sources| sources.count(&query))?;
        self.each_decided_by_texts(generations, &asked, &mut |_| count += 1)?;
        Ok(count)
    }

    /// See `EventReads::event_histogram`.
    pub(in super::super) fn histogram_by_postings(
        &mut self,
        generations: &[Generation],
        filter: &EventFilter,
        edges: &[Timestamp],
    ) -> Result<Vec<u64>> {
        let asked = self.asked(filter)?;
        let query = asked.certain();
        let mut counts = self.ask(generations, asked.scope, &query, |sources| sources.histogram(&query, edges))?;
        self.each_decided_by_texts(generations, &asked, &mut |columns| {
            let bucket = edges.partition_point(|edge| *edge <= columns.key.occurred_at).checked_sub(1);
            if let Some(count) = bucket.and_then(|bucket| counts.get_mut(bucket)) {
                *count += 1;
            }
        })?;
        Ok(counts)
    }

    /// See `EventReads::distinct_users`.
    pub(in super::super) fn distinct_users_by_postings(
        &mut self,
        generations: &[Generation],
        filter: &EventFilter,
    ) -> Result<u64> {
        let asked = self.asked(filter)?;
        let query = asked.certain();
        let mut users = self.ask(generations, asked.scope, &query, |sources| sources.distinct(&query, Column::User))?;
        self.each_decided_by_texts(generations, &asked, &mut |columns| users.extend(columns.user))?;
        Ok(users.len())
    }
}
