//! Merges that take several transactions: the deltas that they have claimed, and the scopes that they have merged.

use std::collections::{BTreeSet, HashMap, HashSet};

use diesel::dsl::max;
use diesel::prelude::*;
use trailkeeper_domain::Result;
use trailkeeper_domain::bucket::Bucket;
use trailkeeper_domain::ports::MergePass;
use trailkeeper_domain::scope::Scope;
use trailkeeper_postings::delta::put_numbers;

use super::Tx;
use super::sheets::scope_in;
use crate::columns::DbTenant;
use crate::rows::PassRow;
use crate::schema::{merge_passes, merged_scopes};

const PASSES: &str = "merge_passes";
const SCOPES: &str = "merged_scopes";

/// The claimed deltas of all passes.
pub struct Claims {
    passes: Vec<MergePass>,
    /// The index of the pass that has claimed a delta.
    by_delta: HashMap<i64, usize>,
    none: BTreeSet<Scope>,
}

impl Claims {
    /// The claims of these passes.
    pub fn of(passes: Vec<MergePass>) -> Self {
        let of_pass =
            |(nth, pass): (usize, &MergePass)| pass.deltas.iter().map(|delta| (*delta, nth)).collect::<Vec<_>>();
        let by_delta = passes.iter().enumerate().flat_map(of_pass).collect();
        Self { passes, by_delta, none: BTreeSet::new() }
    }

    /// The scopes whose sheets count the events of a delta.
    pub fn merged(&self, delta: i64) -> &BTreeSet<Scope> {
        let pass = self.by_delta.get(&delta).and_then(|nth| self.passes.get(*nth));
        pass.map_or(&self.none, |pass| &pass.merged)
    }
}

impl Tx<'_> {
    fn pass_rows(&mut self, bucket: Bucket) -> Result<Vec<PassRow>> {
        let query = merge_passes::table
            .filter(merge_passes::bucket.eq(bucket.code()))
            .order(merge_passes::pass.asc())
            .select(PassRow::as_select());
        self.run(PASSES, |conn| query.load(conn))
    }

    /// The numbers of the deltas that any pass has claimed.
    pub fn claimed_deltas(&mut self, bucket: Bucket) -> Result<HashSet<i64>> {
        let mut claimed = HashSet::new();
        for pass in self.pass_rows(bucket)? {
            claimed.extend(pass.deltas()?);
        }
        Ok(claimed)
    }

    /// The numbers of the deltas whose events the sheets of this scope count.
    pub fn merged_deltas(&mut self, bucket: Bucket, scope: Scope) -> Result<HashSet<i64>> {
        let passes = self.pass_rows(bucket)?;
        let mut merged = HashSet::new();
        if passes.is_empty() {
            return Ok(merged);
        }
        let key = self.asked_tenant(scope.key())?;
        let numbers: Vec<i64> = passes.iter().map(|pass| pass.pass).collect();
        let query = merged_scopes::table
            .filter(merged_scopes::bucket.eq(bucket.code()))
            .filter(merged_scopes::pass.eq_any(numbers))
            .filter(merged_scopes::scope.eq(key))
            .select(merged_scopes::pass);
        let marked: Vec<i64> = self.run(SCOPES, |conn| query.load(conn))?;
        for pass in passes.iter().filter(|pass| marked.contains(&pass.pass)) {
            merged.extend(pass.deltas()?);
        }
        Ok(merged)
    }

    /// See `SheetReads::merge_passes`.
    pub fn open_passes(&mut self, bucket: Bucket) -> Result<Vec<MergePass>> {
        let passes = self.pass_rows(bucket)?;
        if passes.is_empty() {
            return Ok(Vec::new());
        }
        let query = merged_scopes::table
            .filter(merged_scopes::bucket.eq(bucket.code()))
            .select((merged_scopes::pass, merged_scopes::scope));
        let marks: Vec<(i64, DbTenant)> = self.run(SCOPES, |conn| query.load(conn))?;
        let scopes = self.scopes_of(marks.iter().map(|(_, scope)| *scope).collect::<HashSet<_>>())?;
        let mut merged: HashMap<i64, BTreeSet<Scope>> = HashMap::new();
        for (pass, scope) in marks {
            merged.entry(pass).or_default().insert(scope_in(&scopes, scope)?);
        }
        passes
            .into_iter()
            .map(|row| {
                let merged = merged.remove(&row.pass).unwrap_or_default();
                Ok(MergePass { number: row.pass, deltas: row.deltas()?, merged })
            })
            .collect()
    }

    /// See `SheetWrites::begin_merge_pass`.
    pub fn begin_pass(&mut self, deltas: &[i64]) -> Result<i64> {
        let bucket = self.bucket()?;
        let last = merge_passes::table.filter(merge_passes::bucket.eq(bucket.code())).select(max(merge_passes::pass));
        let last: Option<i64> = self.run(PASSES, |conn| last.first(conn))?;
        let number = last.unwrap_or_default() + 1;
        let row = (
            merge_passes::bucket.eq(bucket.code()),
            merge_passes::pass.eq(number),
            merge_passes::deltas.eq(put_numbers(deltas)),
        );
        self.run(PASSES, |conn| diesel::insert_into(merge_passes::table).values(row).execute(conn))?;
        Ok(number)
    }

    /// See `SheetWrites::mark_merged`.
    pub fn mark_scopes(&mut self, pass: i64, scopes: &[Scope]) -> Result<()> {
        let bucket = self.bucket()?;
        for scope in scopes {
            let row = (
                merged_scopes::bucket.eq(bucket.code()),
                merged_scopes::pass.eq(pass),
                merged_scopes::scope.eq(self.tenant_key_assigned(scope.key())?),
            );
            self.run(SCOPES, |conn| diesel::insert_into(merged_scopes::table).values(row).execute(conn))?;
        }
        Ok(())
    }

    /// See `SheetWrites::end_merge_passes`.
    pub fn end_passes(&mut self, passes: &[i64]) -> Result<()> {
        let bucket = self.bucket()?;
        for pass in passes {
            let marks = merged_scopes::table
                .filter(merged_scopes::bucket.eq(bucket.code()))
                .filter(merged_scopes::pass.eq(*pass));
            self.run(SCOPES, |conn| diesel::delete(marks).execute(conn))?;
            let row = merge_passes::table.find((bucket.code(), *pass));
            self.run(PASSES, |conn| diesel::delete(row).execute(conn))?;
        }
        Ok(())
    }
}
