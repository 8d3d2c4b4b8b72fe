//! Counts per source address.

use std::cmp::Reverse;
use std::collections::HashMap;
use std::net::IpAddr;

use trailkeeper_domain::fact::login;
use trailkeeper_domain::ports::{SourceActivity, SourceCounts, SourceQuery, SourceTotals};
use trailkeeper_domain::scope::Scope;
use trailkeeper_domain::{Error, Result};
use trailkeeper_postings::dimension::Dimension;
use trailkeeper_postings::query::{Columns, Condition, Query, Values};

use super::super::Tx;
use super::super::names::Dictionary;
use crate::generation::Generation;

/// The counts of one source in both ranges.
#[derive(Debug, Default)]
struct Counted {
    current: SourceCounts,
    previous: SourceCounts,
}

/// Distinct pairs of source and user.
#[derive(Debug, Default)]
struct Pairs {
    pairs: Vec<u64>,
    /// The number of pairs from which on duplicates are removed.
    limit: usize,
}

impl Pairs {
    fn add(&mut self, source: u32, user: u32) {
        self.pairs.push(u64::from(source) << 32 | u64::from(user));
        if self.pairs.len() >= self.limit {
            self.compact();
            self.limit = (self.pairs.len() * 2).max(1 << 16);
        }
    }

    fn compact(&mut self) {
        self.pairs.sort_unstable();
        self.pairs.dedup();
    }

    /// The source of each distinct pair.
    fn sources(mut self) -> impl Iterator<Item = u32> {
        self.compact();
        self.pairs.into_iter().map(|pair| (pair >> 32) as u32)
    }
}

impl Tx<'_> {
    /// See `ActivityReads::source_activity`.
    pub(in super::super) fn source_activity_by_postings(
        &mut self,
        generations: &[Generation],
        query: &SourceQuery,
        limit: usize,
    ) -> Result<Vec<SourceActivity>> {
        let mut counted: HashMap<u32, Counted> = HashMap::new();
        let [mut current_users, mut previous_users] = [Pairs::default(), Pairs::default()];
        self.each_with_source(generations, query, &mut |columns, source, is_current| {
            let counted = counted.entry(source).or_default();
            let (counts, users) = if is_current {
                (&mut counted.current, &mut current_users)
            } else {
                (&mut counted.previous, &mut previous_users)
            };
            add(counts, columns);
            columns.user.into_iter().for_each(|user| users.add(source, user));
        })?;
        for (users, is_current) in [(current_users, true), (previous_users, false)] {
            for source in users.sources() {
                if let Some(counted) = counted.get_mut(&source) {
                    let counts = if is_current { &mut counted.current } else { &mut counted.previous };
                    counts.users += 1;
                }
            }
        }
        counted.retain(|_, counted| counted.current.events > 0);
        let mut most: Vec<(u32, Counted)> = counted.into_iter().collect();
        most.sort_unstable_by_key(|(_, counted)| Reverse(counted.current.events));
        // Sources with as many events as the last one are ordered by their addresses.
        let least = limit.checked_sub(1).and_then(|last| most.get(last)).map(|(_, counted)| counted.current.events);
        most.truncate(most.partition_point(|(_, counted)| least.is_none_or(|least| counted.current.events >= least)));
        let ids: Vec<i32> = most.iter().map(|(source, _)| source.cast_signed()).collect();
        let names = self.names_of(Dictionary::Sources, &ids)?;
        let address = |source: u32| -> Result<Option<IpAddr>> {
            let name = names.get(&source.cast_signed());
            name.map(|name| name.parse().map_err(Error::internal)).transpose()
        };
        let mut found = Vec::with_capacity(most.len());
        for (source, Counted { current, previous }) in most {
            found.push(SourceActivity { source: address(source)?, current, previous });
        }
        found.sort_by_key(|found| (Reverse(found.current.events), found.source.is_none(), found.source));
        found.truncate(limit);
        Ok(found)
    }

    /// See `ActivityReads::source_totals`.
    pub(in super::super) fn source_totals_by_postings(
        &mut self,
        generations: &[Generation],
        query: &SourceQuery,
    ) -> Result<(SourceTotals, SourceTotals)> {
        let mut totals: [(SourceTotals, Values, Values); 2] = Default::default();
        self.each_with_source(generations, query, &mut |columns, source, is_current| {
            let [current, previous] = &mut totals;
            let (totals, sources, users) = if is_current { current } else { previous };
            add(&mut totals.counts, columns);
            sources.insert(source);
            users.extend(columns.user);
        })?;
        let [current, previous] = totals.map(|(mut totals, sources, users)| {
            (totals.sources, totals.counts.users) = (sources.len(), users.len());
            totals
        });
        Ok((current, previous))
    }

    /// Calls `each` for every event of both ranges with a source, and whether it is of the current range.
    fn each_with_source(
        &mut self,
        generations: &[Generation],
        query: &SourceQuery,
        each: &mut dyn FnMut(&Columns, u32, bool),
    ) -> Result<()> {
        let SourceQuery { tenant_id, env_id, range, previous_start } = *query;
        let scope = Scope::of(tenant_id);
        let condition = env_id.map_or(Condition::everything(), |env| Condition::is(Dimension::Env, env.0));
        let Some(condition) = Self::of_customers(scope, condition) else { return Ok(()) };
        let query = Query { condition, from: Some(previous_start.unwrap_or(range.start)), until: Some(range.end) };
        self.ask(generations, scope, &query, |sources| {
            sources.scan(&query, &mut |columns| {
                if let Some(source) = columns.source {
                    each(columns, source, range.start <= columns.key.occurred_at);
                }
                Ok(())
            })
        })
    }
}

fn add(counts: &mut SourceCounts, columns: &Columns) {
    let at = columns.key.occurred_at;
    counts.events += 1;
    match login(columns.kind) {
        Some(true) => counts.logins += 1,
        Some(false) => counts.failed_logins += 1,
        None => {}
    }
    counts.seen = Some(counts.seen.map_or((at, at), |(first, last)| (first.min(at), last.max(at))));
}
