//! Texts of rows, which decide about events that were found by hashes.

use std::collections::HashSet;

use diesel::prelude::*;
use trailkeeper_domain::Result;
use trailkeeper_domain::event::EventPosition;
use trailkeeper_postings::query::Columns;

use super::super::event_filter::ResolvedFilter;
use super::super::event_names::OTHER;
use super::super::{Tx, dialect};
use super::asked::Asked;
use crate::generation::Generation;
use crate::schema::events;

/// The number of events whose texts one statement reads.
const AT_ONCE: usize = 1_000;

/// The texts of an event whose hashes the index has.
#[derive(Debug, Queryable, Selectable)]
#[diesel(table_name = events)]
struct TextsRow {
    seq: i64,
    page_ref: Option<i32>,
    page_key: Option<String>,
    session_id: Option<String>,
    target_type: Option<String>,
    target_id: Option<String>,
}

impl TextsRow {
    /// Whether the texts match. The other conditions of the filter are those of the index.
    fn matches(&self, resolved: &ResolvedFilter<'_>) -> bool {
        let (filter, pages, keys) = (resolved.filter, &resolved.pages, &resolved.page_keys);
        let among = |numbers: &[i32], keys: &[std::borrow::Cow<'_, str>]| {
            let key = self.page_key.as_deref().filter(|_| self.page_ref == Some(OTHER));
            self.page_ref.is_some_and(|page| numbers.contains(&page))
                || key.is_some_and(|key| keys.iter().any(|wanted| wanted == key))
        };
        filter.session_id.match_value(self.session_id.as_ref())
            && filter.target_type.match_value(self.target_type.as_ref())
            && filter.target_id.match_value(self.target_id.as_ref())
            && (pages.any_of.is_empty() || among(&pages.any_of, &keys.any_of))
            && !among(&pages.none_of, &keys.none_of)
    }
}

impl Tx<'_> {
    /// The numbers of those of these events whose texts match.
    pub(super) fn with_texts(&mut self, asked: &Asked<'_>, seqs: &[i64]) -> Result<HashSet<i64>> {
        let (buckets, mut found) = (&asked.resolved.buckets, HashSet::new());
        for some in seqs.chunks(AT_ONCE) {
            let query = dialect::events(buckets).filter(events::seq.eq_any(some)).select(TextsRow::as_select());
            let rows: Vec<TextsRow> = self.run("events", |conn| query.load(conn))?;
            found.extend(rows.into_iter().filter(|row| row.matches(&asked.resolved)).map(|row| row.seq));
        }
        Ok(found)
    }

    /// Calls `each` for the events whose texts decide, and match.
    pub(super) fn each_decided_by_texts(
        &mut self,
        generations: &[Generation],
        asked: &Asked<'_>,
        each: &mut dyn FnMut(&Columns),
    ) -> Result<()> {
        if !asked.has_hashes() {
            return Ok(());
        }
        let query = asked.undecided();
        let mut after: Option<EventPosition> = None;
        loop {
            let some =
                self.ask(generations, asked.scope, &query, |sources| sources.columns_after(&query, after, AT_ONCE))?;
            let seqs: Vec<i64> = some.iter().map(|columns| columns.key.seq).collect();
            let matching = self.with_texts(asked, &seqs)?;
            some.iter().filter(|columns| matching.contains(&columns.key.seq)).for_each(&mut *each);
            match some.last() {
                Some(last) if some.len() == AT_ONCE => after = Some(last.key),
                _ => return Ok(()),
            }
        }
    }
}
