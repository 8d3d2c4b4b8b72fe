//! Ids of events on PostgreSQL, whose unique key decides which events are new: none is remembered.

use diesel::result::QueryResult;
use trailkeeper_domain::bucket::Bucket;
use trailkeeper_domain::ports::IdFault;

use super::settled::Settled;
use super::{Conn, ingest};
use crate::columns::{DbTenant, DbUuid};
use crate::hash_key::HashKey;
use crate::options::StoreOptions;
use crate::rows::{EventRow, NewEventRow};

/// What is known of the numbers of events.
#[derive(Debug, Default)]
pub struct Ids {
    /// The numbers up to which no event will become visible any more.
    pub settled: Settled,
}

impl Ids {
    /// Nothing is known yet.
    pub fn new(_options: &StoreOptions) -> Self {
        Self::default()
    }

    /// Does nothing.
    #[expect(clippy::unused_self, reason = "the same signature on both databases")]
    pub fn forget(&self) {}
}

/// The events that a transaction stored: nothing.
#[derive(Default)]
pub struct NewIds(());

impl NewIds {
    /// Does nothing.
    #[expect(clippy::unused_self, reason = "the same signature on both databases")]
    pub fn committed(self, _ids: &Ids) {}

    /// Does nothing.
    #[expect(clippy::unused_self, reason = "the same signature on both databases")]
    pub fn rolled_back(self, _ids: &Ids) {}
}

/// Stores the events that are not stored yet.
pub fn insert_events(
    conn: &mut Conn,
    _ids: &Ids,
    _new: &mut NewIds,
    _hash: &HashKey,
    rows: &[NewEventRow<'_>],
) -> QueryResult<Vec<Option<i64>>> {
    ingest::insert_events(conn, rows)
}

/// The events with this id, at most three.
pub fn events_by_id(
    conn: &mut Conn,
    _ids: &Ids,
    _hash: &HashKey,
    buckets: &[Bucket],
    wanted: (DbUuid, Option<DbTenant>),
) -> QueryResult<Vec<EventRow>> {
    ingest::events_by_id(conn, buckets, wanted)
}

/// Finds no faults: the unique key is kept by the database.
#[expect(clippy::unnecessary_wraps, reason = "the same signature on both databases")]
pub fn check_ids(_conn: &mut Conn, _ids: &Ids, _hash: &HashKey, _each: &mut dyn FnMut(IdFault)) -> QueryResult<u64> {
    Ok(0)
}
