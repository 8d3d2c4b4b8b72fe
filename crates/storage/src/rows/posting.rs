//! Rows of the index of events.

use diesel::{Queryable, Selectable};
use trailkeeper_domain::ports::{PostingRun, PostingRunKey};
use trailkeeper_domain::scope::Scope;
use trailkeeper_domain::{Error, Result};

use crate::columns::{DbTenant, DbTime};
use crate::schema::posting_runs;

/// The key of a run, as the database stores it.
#[derive(Debug, Clone, Copy)]
pub struct PostingKeyRow {
    /// Scope of the run.
    pub scope: DbTenant,
    /// Beginning of the month.
    pub month: DbTime,
    /// Number of the run.
    pub run: i32,
}

impl PostingKeyRow {
    /// Converts a key. `scope` is the scope of the key, as the database stores it.
    pub fn new(scope: DbTenant, key: PostingRunKey) -> Result<Self> {
        Ok(Self { scope, month: DbTime(key.month), run: i32::try_from(key.run).map_err(Error::internal)? })
    }
}

/// A run of a known scope.
#[derive(Debug, Queryable, Selectable)]
#[diesel(table_name = posting_runs)]
pub struct PostingRunRow {
    month: DbTime,
    run: i32,
    events: i32,
    header: Vec<u8>,
    removed: Option<Vec<u8>>,
}

impl PostingRunRow {
    /// The run of this scope.
    pub fn into_run(self, scope: Scope) -> Result<PostingRun> {
        let Self { month, run, events, header, removed } = self;
        let number = |value: i32| u32::try_from(value).map_err(Error::internal);
        Ok(PostingRun {
            key: PostingRunKey { scope, month: month.0, run: number(run)? },
            events: number(events)?,
            header,
            removed,
        })
    }
}
