//! Rows of login counters.

use diesel::{AsChangeset, Insertable, Queryable, Selectable};
use trailkeeper_domain::Result;
use trailkeeper_domain::ports::CounterKey;
use trailkeeper_domain::throttle::LoginCounter;

use super::unreadable;
use crate::columns::DbTime;
use crate::schema::login_counters;

/// A counter of login attempts.
#[derive(Debug, Queryable, Selectable, Insertable, AsChangeset)]
#[diesel(table_name = login_counters)]
#[diesel(treat_none_as_default_value = false, treat_none_as_null = true)]
pub struct LoginCounterRow {
    key: Vec<u8>,
    failures: i64,
    counted_at: DbTime,
    blocked_until: Option<DbTime>,
}

impl LoginCounterRow {
    /// The row of a counter.
    pub fn new(key: &CounterKey, counter: &LoginCounter) -> Self {
        Self {
            key: key.to_vec(),
            failures: i64::from(counter.failures),
            counted_at: DbTime(counter.counted_at),
            blocked_until: counter.blocked_until.map(DbTime),
        }
    }

    /// The key and the counter.
    pub fn into_pair(self) -> Result<(Vec<u8>, LoginCounter)> {
        // The key is a hash of an account or address, so the error names the row by its time instead.
        let failures = u32::try_from(self.failures)
            .map_err(|error| unreadable("login_counters", "failures", self.counted_at.0, error))?;
        let counter = LoginCounter {
            failures,
            counted_at: self.counted_at.0,
            blocked_until: self.blocked_until.map(|DbTime(until)| until),
        };
        Ok((self.key, counter))
    }
}
