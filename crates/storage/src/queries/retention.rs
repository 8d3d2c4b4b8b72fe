//! Rules of retention, legal holds, and the removal of events.

use std::collections::{HashMap, HashSet};
use std::hash::Hash;
use std::sync::Arc;

use diesel::dsl::min;
use diesel::prelude::*;
use trailkeeper_domain::bucket::Bucket;
use trailkeeper_domain::event::EventKind;
use trailkeeper_domain::fact::EventFact;
use trailkeeper_domain::id::{LegalHoldId, UserId};
use trailkeeper_domain::ports::{PostingRunKey, RetentionReads, RetentionWrites, SheetKey};
use trailkeeper_domain::retention::{LegalHold, RetentionRule};
use trailkeeper_domain::scope::{Level, Part, Scope};
use trailkeeper_domain::time::TimeRange;
use trailkeeper_domain::{Error, Result};

use super::names::Dictionary;
use super::postings::RUNS;
use super::sheets::{number, scope_in};
use super::{Db, Tx, count, dialect};
use crate::columns::{DbTenant, DbTime, DbUuid};
use crate::rows::{LegalHoldRow, PostingKeyRow, RetentionRuleRow};
use crate::schema::{legal_holds, posting_runs, retention_rules, sheets};

const RULES: &str = "retention_rules";
const HOLDS: &str = "legal_holds";
const SHEETS: &str = "sheets";

/// The columns of the key of a sheet of removed events.
type KeyRow = (i64, DbTenant, i16, i16, DbTime, i32);

impl RetentionReads for Tx<'_> {
    fn retention_rules(&mut self) -> Result<Vec<RetentionRule>> {
        let rules = retention_rules::table.order(retention_rules::id.asc()).select(RetentionRuleRow::as_select());
        let rows: Vec<RetentionRuleRow> = self.run(RULES, |conn| rules.load(conn))?;
        rows.into_iter().map(RetentionRuleRow::into_rule).collect()
    }

    fn legal_holds(&mut self, after: Option<LegalHoldId>, limit: usize) -> Result<Vec<LegalHold>> {
        let mut holds = legal_holds::table.into_boxed::<Db>();
        if let Some(after) = after {
            holds = holds.filter(legal_holds::id.gt(DbUuid(after.0)));
        }
        let holds = holds.order(legal_holds::id.asc()).limit(count(limit)).select(LegalHoldRow::as_select());
        let rows: Vec<LegalHoldRow> = self.run(HOLDS, |conn| holds.load(conn))?;
        Ok(rows.into_iter().map(LegalHold::from).collect())
    }

    fn kind_ids(&mut self, kinds: &[EventKind]) -> Result<HashMap<EventKind, u32>> {
        self.known_numbers(Dictionary::Kinds, kinds, EventKind::as_str)
    }

    fn user_ordinals(&mut self, users: &[UserId]) -> Result<HashMap<UserId, u32>> {
        self.known_numbers(Dictionary::Users, users, UserId::as_str)
    }

    fn sheets_of_removed(&mut self, starts: TimeRange) -> Result<Vec<(i64, SheetKey)>> {
        let bucket = self.bucket()?;
        let keys = sheets::table
            .filter(sheets::bucket.eq(bucket.code()))
            .filter(sheets::generation.lt(0))
            .filter(sheets::start.ge(DbTime(starts.start)))
            .filter(sheets::start.lt(DbTime(starts.end)))
            .select((sheets::generation, sheets::scope, sheets::level, sheets::part, sheets::start, sheets::run));
        let rows: Vec<KeyRow> = self.run(SHEETS, |conn| keys.load(conn))?;
        let known: HashSet<DbTenant> = rows.iter().map(|(_, scope, ..)| *scope).collect();
        let known = self.scopes_of(known)?;
        let mut found = Vec::with_capacity(rows.len());
        for (generation, scope, level, part, start, run) in rows {
            let wrong = || Error::internal(format!("table {SHEETS} has a row of level {level} and part {part}"));
            let level = u8::try_from(level).ok().and_then(Level::of_code).ok_or_else(wrong)?;
            let part = Part::ALL.into_iter().find(|known| i16::from(known.code()) == part).ok_or_else(wrong)?;
            let scope = scope_in(&known, scope)?;
            found.push((generation, SheetKey { scope, level, part, start: start.0, run: number(run)? }));
        }
        found.sort_unstable();
        Ok(found)
    }

    fn has_removed(&mut self, scope: Scope, level: Level, starts: TimeRange) -> Result<bool> {
        for bucket in self.buckets_of(scope)? {
            if self.has_removed_from(bucket, scope, level, starts)? {
                return Ok(true);
            }
        }
        Ok(false)
    }

    fn merged_facts(
        &mut self,
        scope: Scope,
        range: TimeRange,
        each: &mut dyn FnMut(&EventFact) -> Result<()>,
    ) -> Result<()> {
        self.facts_of_runs(scope, range, each)
    }
}

impl RetentionWrites for Tx<'_> {
    fn lock_retention(&mut self) -> Result<()> {
        self.run(RULES, dialect::lock_retention)
    }

    fn put_retention_rule(&mut self, rule: &RetentionRule) -> Result<()> {
        let row = RetentionRuleRow::new(rule)?;
        let old = retention_rules::table.find(DbUuid(rule.id.0));
        let changed = self.run(RULES, |conn| diesel::update(old).set(&row).execute(conn))?;
        if changed == 0 {
            self.run(RULES, |conn| diesel::insert_into(retention_rules::table).values(&row).execute(conn))?;
        }
        Ok(())
    }

    fn insert_legal_hold(&mut self, hold: &LegalHold) -> Result<()> {
        let row = LegalHoldRow::from(hold);
        self.run(HOLDS, |conn| diesel::insert_into(legal_holds::table).values(&row).execute(conn)).map(drop)
    }

    fn delete_legal_hold(&mut self, id: LegalHoldId) -> Result<bool> {
        let hold = legal_holds::table.find(DbUuid(id.0));
        Ok(self.run(HOLDS, |conn| diesel::delete(hold).execute(conn))? > 0)
    }

    fn delete_events(&mut self, seqs: &[i64]) -> Result<u64> {
        let bucket = self.bucket()?;
        self.record_removal(bucket, seqs)?;
        let deleted = self.run("events", |conn| dialect::delete_events(conn, bucket, seqs))?;
        u64::try_from(deleted).map_err(Error::internal)
    }

    fn put_removed_positions(&mut self, generation: i64, key: PostingRunKey, removed: &[u8]) -> Result<bool> {
        self.changed_sheets = true;
        let Some(scope) = self.tenant_key(key.scope.key())? else { return Ok(false) };
        let (bucket, row) = (self.bucket()?, PostingKeyRow::new(scope, key)?);
        let run = posting_runs::table.find((bucket.code(), generation, row.scope, row.month, row.run));
        let put = diesel::update(run).set(posting_runs::removed.eq(Some(removed)));
        Ok(self.run(RUNS, |conn| put.execute(conn))? > 0)
    }
}

impl Tx<'_> {
    fn has_removed_from(&mut self, bucket: Bucket, scope: Scope, level: Level, starts: TimeRange) -> Result<bool> {
        let mut above = i64::MIN;
        loop {
            // One generation after the other, so that the index finds the rows of the scope in each.
            let next = sheets::table
                .filter(sheets::bucket.eq(bucket.code()))
                .filter(sheets::generation.gt(above))
                .filter(sheets::generation.lt(0))
                .select(min(sheets::generation));
            let next: Option<i64> = self.run(SHEETS, |conn| next.first(conn))?;
            let Some(generation) = next else { return Ok(false) };
            let key = self.asked_tenant(scope.key())?;
            let some = sheets::table
                .filter(sheets::bucket.eq(bucket.code()))
                .filter(sheets::generation.eq(generation))
                .filter(sheets::scope.eq(key))
                .filter(sheets::level.eq(i16::from(level.code())))
                .filter(sheets::start.ge(DbTime(starts.start)))
                .filter(sheets::start.lt(DbTime(starts.end)))
                .select(sheets::run)
                .limit(1);
            if self.run(SHEETS, |conn| some.first::<i32>(conn).optional())?.is_some() {
                return Ok(true);
            }
            above = generation;
        }
    }

    /// The numbers of these names in a dictionary, without those that it does not have.
    fn known_numbers<N: Clone + Eq + Hash>(
        &mut self,
        dictionary: Dictionary,
        names: &[N],
        text: fn(&N) -> &str,
    ) -> Result<HashMap<N, u32>> {
        let texts: Vec<Arc<str>> = names.iter().map(|name| Arc::from(text(name))).collect();
        let stored = self.stored_numbers(dictionary, &texts)?;
        let known = names.iter().filter_map(|name| Some((name, *stored.get(text(name))?)));
        known.map(|(name, id)| Ok((name.clone(), number(id)?))).collect()
    }
}
