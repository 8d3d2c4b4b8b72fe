//! Reads many sheets by their keys.

use std::collections::HashMap;

use trailkeeper_domain::id::TenantId;
use trailkeeper_domain::ports::{SheetKey, SheetPeriod};
use trailkeeper_domain::{Error, Result};

use super::sheets::number;
use super::{Tx, dialect};
use crate::columns::DbTenant;
use crate::rows::SheetKeyRow;

/// The largest number of keys in one statement.
pub const KEYS_AT_ONCE: usize = 4_096;

impl Tx<'_> {
    /// The keys of the runs of these periods and the lengths of their payloads in bytes, in ascending order.
    pub fn runs_at(&mut self, generation: i64, periods: &[SheetPeriod]) -> Result<Vec<(SheetKey, u64)>> {
        let scopes = self.tenant_keys(periods.iter().map(|period| period.scope.key()))?;
        let (bucket, mut found) = (self.bucket()?, Vec::new());
        for some in periods.chunks(KEYS_AT_ONCE) {
            let (known, rows) = key_rows(&scopes, some.iter().map(|period| period.run(0)))?;
            for (nth, run, bytes) in self.run("sheets", |conn| dialect::runs(conn, bucket, generation, &rows))? {
                let bytes = u64::try_from(bytes).map_err(Error::internal)?;
                found.push((SheetKey { run: number(run)?, ..nth_of(&known, nth)? }, bytes));
            }
        }
        found.sort_unstable();
        Ok(found)
    }

    /// The payloads of these keys. Keys without a sheet are left out.
    pub fn payloads(&mut self, generation: i64, keys: &[SheetKey]) -> Result<HashMap<SheetKey, Vec<u8>>> {
        let scopes = self.tenant_keys(keys.iter().map(|key| key.scope.key()))?;
        let (bucket, mut found) = (self.bucket()?, HashMap::with_capacity(keys.len()));
        for some in keys.chunks(KEYS_AT_ONCE) {
            let (known, rows) = key_rows(&scopes, some.iter().copied())?;
            for (nth, payload) in self.run("sheets", |conn| dialect::payloads(conn, bucket, generation, &rows))? {
                found.insert(nth_of(&known, nth)?, payload);
            }
        }
        Ok(found)
    }
}

/// The keys whose scope has a key in the database, and the same keys as the database stores them.
pub fn key_rows(
    scopes: &HashMap<TenantId, DbTenant>,
    keys: impl Iterator<Item = SheetKey>,
) -> Result<(Vec<SheetKey>, Vec<SheetKeyRow>)> {
    let (mut known, mut rows) = (Vec::new(), Vec::new());
    for key in keys {
        if let Some(scope) = scopes.get(&key.scope.key()) {
            known.push(key);
            rows.push(SheetKeyRow::new(*scope, key)?);
        }
    }
    Ok((known, rows))
}

fn nth_of(keys: &[SheetKey], nth: i64) -> Result<SheetKey> {
    let key = usize::try_from(nth).ok().and_then(|nth| keys.get(nth));
    key.copied().ok_or_else(|| Error::internal(format!("the database answered about key {nth} of {}", keys.len())))
}
