//! The rule by which pages get their keys, and the walk that gives the keys of a new rule to stored events.

use std::collections::{BTreeSet, HashMap, HashSet};
use std::sync::Arc;

use diesel::dsl::exists;
use diesel::prelude::*;
use trailkeeper_domain::error::Context;
use trailkeeper_domain::event::Event;
use trailkeeper_domain::page::{PageHash, PageQueries, PageRule, PageRuleState, TrailingSlash};
use trailkeeper_domain::ports::{PagePosition, PageReads, PageWrites, PostingReads, RewrittenPages};
use trailkeeper_domain::scope::Scope;
use trailkeeper_domain::{Error, Result};

use super::event_names::{OTHER, PageKey};
use super::missing_references::NewPage;
use super::names::Dictionary;
use super::{Tx, count, dialect};
use crate::rows::{PageUpdate, SentPageRow};
use crate::schema::{events, new_pages, page_rule};

const TABLE: &str = "page_rule";

/// The columns of the rule: version, queries, trailing slash, hash, and whether keys are being rewritten.
type RuleRow = (i16, Option<String>, String, String, bool);

impl PageReads for Tx<'_> {
    fn page_rule(&mut self) -> Result<PageRuleState> {
        if let Some(known) = self.page_rule {
            return Ok(known);
        }
        let query = page_rule::table.find(1_i16).select((
            page_rule::version,
            page_rule::queries,
            page_rule::trailing_slash,
            page_rule::hash,
            page_rule::rewriting,
        ));
        let row: RuleRow = self.run(TABLE, |conn| query.first(conn))?;
        let state = state_of(&row).map_err(|error| Error::internal(Context::new("table page_rule, row 1", error)))?;
        self.page_rule = Some(state);
        Ok(state)
    }

    fn has_pages(&mut self) -> Result<bool> {
        let buckets = self.buckets_of(Scope::Everyone)?;
        let paged = dialect::events(&buckets).filter(events::page_ref.is_not_null()).select(events::seq);
        self.run("events", |conn| diesel::select(exists(paged)).get_result(conn))
    }
}

impl PageWrites for Tx<'_> {
    fn set_page_rule(&mut self, state: &PageRuleState) -> Result<()> {
        self.lock_page_rule()?;
        let PageRuleState { rule, rewriting, presumed } = state;
        let version = i16::try_from(rule.version).map_err(Error::internal)?;
        let queries = (!presumed).then(|| rule.queries.as_str());
        self.run(TABLE, |conn| {
            diesel::update(page_rule::table.find(1_i16))
                .set((
                    page_rule::version.eq(version),
                    page_rule::queries.eq(queries),
                    page_rule::trailing_slash.eq(rule.trailing_slash.as_str()),
                    page_rule::hash.eq(rule.hash.as_str()),
                    page_rule::rewriting.eq(*rewriting),
                ))
                .execute(conn)
        })?;
        self.page_rule = None;
        Ok(())
    }

    fn lock_page_rule(&mut self) -> Result<()> {
        self.run(TABLE, dialect::lock_page_rule)?;
        // Another transaction may have changed it until the lock was granted.
        self.page_rule = None;
        Ok(())
    }

    fn forget_new_pages(&mut self) -> Result<()> {
        self.run("new_pages", |conn| diesel::delete(new_pages::table).execute(conn))?;
        Ok(())
    }

    fn rewrite_page_keys(&mut self, after: Option<&PagePosition>, limit: usize) -> Result<RewrittenPages> {
        self.run("events", dialect::keep_in_place)?;
        let rule = self.page_rule()?.rule;
        let mut position = match after {
            Some(after) => *after,
            None => PagePosition { others: false, seq: i64::MIN, last: self.last_seq()? },
        };
        let buckets = self.buckets_of(Scope::Everyone)?;
        let walked =
            dialect::events(&buckets).filter(events::seq.gt(position.seq)).filter(events::seq.le(position.last));
        let walked = walked.order(events::seq.asc()).limit(count(limit)).select(SentPageRow::as_select());
        let mut rows: Vec<SentPageRow> = self.run("events", |conn| walked.load(conn))?;
        let next = match rows.last() {
            Some(row) if rows.len() >= limit => {
                position.seq = row.seq;
                Some(position)
            }
            _ if !position.others => Some(PagePosition { others: true, seq: i64::MIN, ..position }),
            _ => None,
        };
        rows.retain(|row| row.has_page() && (row.page_ref() == OTHER) == position.others);
        let (changed, missing) = self.give_keys(rule, &rows)?;
        Ok(RewrittenPages { read: rows.len() as u64, changed, missing, next })
    }
}

impl Tx<'_> {
    /// The rule, if the keys of all events are made by it.
    pub(super) fn complete_page_rule(&mut self) -> Result<PageRule> {
        let PageRuleState { rule, rewriting, .. } = self.page_rule()?;
        if rewriting {
            return Err(Error::overloaded(
                "pages are getting other keys, and events cannot be grouped by page until that is done",
                "wait for `trailkeeper rebuild`, or run it again if it was interrupted",
            ));
        }
        Ok(rule)
    }

    /// The rule for events that this transaction stores. It does not change until the transaction ends.
    fn page_rule_for_storing(&mut self) -> Result<PageRule> {
        if self.page_rule.is_none() {
            self.run(TABLE, dialect::share_page_rule)?;
        }
        self.page_rule().map(|state| state.rule)
    }

    /// The keys of the pages of events that this transaction stores.
    pub(super) fn page_keys_of<'e>(&mut self, events: &'e [Event]) -> Result<Vec<PageKey<'e>>> {
        if events.iter().all(|event| event.page.is_none()) {
            return Ok(vec![None; events.len()]);
        }
        let rule = self.page_rule_for_storing()?;
        Ok(events.iter().map(|event| event.page.as_ref().map(|page| rule.key(page.as_str()))).collect())
    }

    /// Gives these events the keys of the rule. Returns how many events got another one, and how many stay as they are
    /// because the name of their page is missing.
    fn give_keys(&mut self, rule: PageRule, rows: &[SentPageRow]) -> Result<(u64, u64)> {
        let numbers: BTreeSet<i32> = rows.iter().map(SentPageRow::page_ref).collect();
        let numbers: Vec<i32> = numbers.into_iter().collect();
        let names = self.shared_names(Dictionary::Pages, &numbers)?;
        let tenants: HashSet<_> = rows.iter().map(|row| row.tenant_id).collect();
        let tenants = self.tenants_of(&tenants.into_iter().collect::<Vec<_>>())?;
        let mut wanted = Vec::new();
        let mut missing = 0;
        for row in rows {
            let counted = names.get(&row.page_ref()).map(AsRef::as_ref);
            let Some((sent, old)) = row.sent_and_key(counted)? else {
                missing += 1;
                continue;
            };
            let key = rule.key(sent);
            // A page that counts as (other) may find its key in the dictionary now.
            if row.page_ref() == OTHER || old != Some(&*key) {
                let tenant = tenants.get(&row.tenant_id).copied();
                let tenant = tenant.ok_or_else(|| Error::internal("the tenant of a row was not looked up"))?;
                wanted.push((
                    row,
                    sent,
                    old,
                    NewPage { tenant, day: row.received_at.0.date_naive(), key: Arc::from(&*key) },
                ));
            }
        }
        let pages: Vec<NewPage> = wanted.iter().map(|(.., page)| page.clone()).collect();
        let refs = self.page_refs(&pages)?;
        let updates: Vec<PageUpdate<'_>> = wanted
            .iter()
            .zip(refs)
            .filter(|((row, _, old, page), number)| row.page_ref() != *number || *old != Some(&*page.key))
            .map(|((row, sent, _, page), number)| PageUpdate {
                tenant_id: row.tenant_id,
                occurred_at: row.occurred_at,
                seq: row.seq,
                page_ref: number,
                page: (number == OTHER || *page.key != **sent).then_some(*sent),
                page_key: (number == OTHER).then_some(page.key.as_ref()),
            })
            .collect();
        let bucket = self.bucket()?;
        self.run("events", |conn| dialect::update_pages(conn, bucket, &updates))?;
        if !updates.is_empty() {
            self.leave_postings()?;
        }
        Ok((updates.len() as u64, missing))
    }

    /// The numbers of pages; pages beyond the quota of their tenant and day have the number [`OTHER`].
    fn page_refs(&mut self, pages: &[NewPage]) -> Result<Vec<i32>> {
        let known = |tx: &Self, key: &str| {
            tx.new_names.id(Dictionary::Pages, key).or_else(|| tx.shared.names.id(Dictionary::Pages, key))
        };
        let unknown: HashSet<&Arc<str>> =
            pages.iter().map(|page| &page.key).filter(|key| known(self, key).is_none()).collect();
        let unknown: Vec<Arc<str>> = unknown.into_iter().map(Arc::clone).collect();
        let stored: HashMap<Arc<str>, i32> = self.stored_numbers(Dictionary::Pages, &unknown)?;
        let unknown: HashSet<Arc<str>> = unknown.into_iter().filter(|key| !stored.contains_key(key)).collect();
        let mut seen = HashSet::new();
        let missing = pages.iter().filter(|page| unknown.contains(&page.key) && seen.insert((*page).clone()));
        self.provide_pages(missing.cloned().collect())?;
        Ok(pages
            .iter()
            .map(|page| stored.get(&page.key).copied().or_else(|| known(self, &page.key)).unwrap_or(OTHER))
            .collect())
    }
}

fn state_of((version, queries, trailing_slash, hash, rewriting): &RuleRow) -> Result<PageRuleState> {
    let presumed = queries.is_none();
    let rule = PageRule {
        version: u16::try_from(*version).map_err(Error::internal)?,
        queries: match queries {
            Some(queries) => PageQueries::parse("queries", queries)?,
            None => PageQueries::default(),
        },
        trailing_slash: TrailingSlash::parse("trailing_slash", trailing_slash)?,
        hash: PageHash::parse("hash", hash)?,
    };
    if rule.version > PageRule::VERSION {
        return Err(Error::invalid(
            "version",
            format!("{} is of a newer program; this one knows versions up to {}", rule.version, PageRule::VERSION),
        ));
    }
    Ok(PageRuleState { rule, rewriting: *rewriting, presumed })
}
