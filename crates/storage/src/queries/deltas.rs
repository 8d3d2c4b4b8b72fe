//! Reads deltas in batches of bounded size.

use std::collections::HashMap;

use diesel::prelude::*;
use trailkeeper_domain::Result;
use trailkeeper_domain::ports::DeltaKey;
use trailkeeper_domain::scope::Scope;

use super::sheets::{BATCH_BYTES, FIRST_BATCH, LARGEST_BATCH, next_limit, scope_in};
use super::{Db, Tx, count};
use crate::columns::DbTenant;
use crate::rows::{DeltaRow, ScopeBytesRow};
use crate::schema::deltas;

const DELTAS: &str = "deltas";

/// The scopes of one batch: several scopes with few payloads together, or a single scope.
pub type Batch = Vec<(Scope, DbTenant)>;

impl Tx<'_> {
    /// Passes the deltas of one scope to `each`, in the order of their numbers.
    pub fn deltas_of_one(
        &mut self,
        scope: Scope,
        key: DbTenant,
        each: &mut dyn FnMut(DeltaKey, &[u8]) -> Result<()>,
    ) -> Result<()> {
        let (mut seq, mut limit) = (i64::MIN, FIRST_BATCH);
        loop {
            let batch = deltas::table
                .into_boxed::<Db>()
                .filter(deltas::scope.eq(key))
                .filter(deltas::seq.gt(seq))
                .order(deltas::seq.asc())
                .limit(count(limit))
                .select(DeltaRow::as_select());
            let rows: Vec<DeltaRow> = self.run(DELTAS, |conn| batch.load(conn))?;
            for row in &rows {
                each(DeltaKey { scope, seq: row.seq }, &row.payload)?;
            }
            match rows.last().filter(|_| rows.len() == limit) {
                Some(last) => seq = last.seq,
                None => return Ok(()),
            }
            limit = next_limit(rows.len(), rows.iter().map(|row| row.payload.len()).sum());
        }
    }

    /// Passes the deltas of these batches to `each`, by scope and number.
    pub fn deltas_of_batches(
        &mut self,
        batches: &[Batch],
        each: &mut dyn FnMut(DeltaKey, &[u8]) -> Result<()>,
    ) -> Result<()> {
        for batch in batches {
            match batch.as_slice() {
                [(scope, key)] => self.deltas_of_one(*scope, *key, each)?,
                many => self.deltas_of_many(many, each)?,
            }
        }
        Ok(())
    }

    fn deltas_of_many(
        &mut self,
        scopes: &[(Scope, DbTenant)],
        each: &mut dyn FnMut(DeltaKey, &[u8]) -> Result<()>,
    ) -> Result<()> {
        let batch = deltas::table
            .into_boxed::<Db>()
            .filter(deltas::scope.eq_any(scopes.iter().map(|(_, key)| *key).collect::<Vec<_>>()))
            .select(DeltaRow::as_select());
        let rows: Vec<DeltaRow> = self.run(DELTAS, |conn| batch.load(conn))?;
        for (scope, mut rows) in by_scope(scopes, rows, |row| row.scope) {
            rows.sort_unstable_by_key(|row| row.seq);
            for row in &rows {
                each(DeltaKey { scope, seq: row.seq }, &row.payload)?;
            }
        }
        Ok(())
    }

    /// Puts scopes into batches, as many as fit. The order of scopes is the same on both databases.
    pub fn batches(&mut self, rows: Vec<ScopeBytesRow>) -> Result<Vec<Batch>> {
        let known = self.scopes_of(rows.iter().map(|row| row.scope))?;
        let mut scopes = rows
            .into_iter()
            .map(|row| Ok((scope_in(&known, row.scope)?, row.scope, usize::try_from(row.bytes).unwrap_or(usize::MAX))))
            .collect::<Result<Vec<_>>>()?;
        scopes.sort_unstable_by_key(|(scope, ..)| *scope);
        let (mut batches, mut batch, mut filled) = (Vec::new(), Batch::new(), 0_usize);
        for (scope, key, bytes) in scopes {
            filled = filled.saturating_add(bytes);
            if !batch.is_empty() && (filled > BATCH_BYTES || batch.len() == LARGEST_BATCH) {
                batches.push(std::mem::take(&mut batch));
                filled = bytes;
            }
            batch.push((scope, key));
        }
        if !batch.is_empty() {
            batches.push(batch);
        }
        Ok(batches)
    }
}

/// Groups rows by scope, in the order of `scopes`.
fn by_scope<'a, R>(
    scopes: &'a [(Scope, DbTenant)],
    rows: Vec<R>,
    of: impl Fn(&R) -> DbTenant,
) -> impl Iterator<Item = (Scope, Vec<R>)> + 'a
where
    R: 'a,
{
    let mut apart: HashMap<DbTenant, Vec<R>> = HashMap::new();
    for row in rows {
        apart.entry(of(&row)).or_default().push(row);
    }
    scopes.iter().filter_map(move |(scope, key)| Some((*scope, apart.remove(key)?)))
}
