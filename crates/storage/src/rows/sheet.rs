//! Rows of facts, deltas and sheets.

use diesel::{Queryable, Selectable};
use trailkeeper_domain::fact::EventFact;
use trailkeeper_domain::id::EnvId;
use trailkeeper_domain::ports::SheetKey;
use trailkeeper_domain::{Error, Result};
use trailkeeper_postings::delta::read_numbers;

use super::{outcome_of_code, unreadable};
use crate::columns::{DbTenant, DbTime};
use crate::schema::{deltas, events, merge_passes, sheets};

/// The part of an event that is counted.
#[derive(Debug, Queryable, Selectable)]
#[diesel(table_name = events)]
pub struct FactRow {
    /// Number in the order of storage.
    pub seq: i64,
    /// Time of the event.
    pub occurred_at: DbTime,
    env_id: i64,
    page_ref: Option<i32>,
    kind_ref: i32,
    outcome: i16,
    user_ref: Option<i32>,
    source_ref: Option<i32>,
}

impl FactRow {
    /// The fact.
    pub fn into_fact(self) -> Result<EventFact> {
        let seq = self.seq;
        let wrong = |column, value: i64| unreadable("events", column, seq, format!("{value} is out of its range"));
        let id = |column, value: i32| u32::try_from(value).map_err(|_| wrong(column, value.into()));
        Ok(EventFact {
            occurred_at: self.occurred_at.0,
            env: EnvId(u32::try_from(self.env_id).map_err(|_| wrong("env_id", self.env_id))?),
            page: self.page_ref.map(|value| id("page_ref", value)).transpose()?,
            kind: id("kind_ref", self.kind_ref)?,
            outcome: outcome_of_code(self.outcome).ok_or_else(|| wrong("outcome", self.outcome.into()))?,
            user: self.user_ref.map(|value| id("user_ref", value)).transpose()?,
            source: self.source_ref.map(|value| id("source_ref", value)).transpose()?,
        })
    }
}

/// A delta that is not merged yet.
#[derive(Debug, Queryable, Selectable)]
#[diesel(table_name = deltas)]
pub struct DeltaRow {
    /// Number of the delta.
    pub seq: i64,
    /// Encoded columns of events.
    pub payload: Vec<u8>,
}

/// A merge that is not finished.
#[derive(Debug, Queryable, Selectable)]
#[diesel(table_name = merge_passes)]
pub struct PassRow {
    /// Number of the pass.
    pub pass: i64,
    deltas: Vec<u8>,
}

impl PassRow {
    /// The numbers of the claimed deltas, ascending.
    pub fn deltas(&self) -> Result<Vec<i64>> {
        read_numbers(&self.deltas).map_err(|error| unreadable("merge_passes", "deltas", self.pass, error))
    }
}

/// A sheet of a known level and part.
#[derive(Debug, Queryable, Selectable)]
#[diesel(table_name = sheets)]
pub struct SheetRow {
    /// Scope of the sheet.
    pub scope: DbTenant,
    /// Beginning of the period.
    pub start: DbTime,
    /// Number of the run.
    pub run: i32,
    /// Encoded sheet.
    pub payload: Vec<u8>,
}

/// The key of a sheet, as the database stores it.
#[derive(Debug, Clone, Copy)]
pub struct SheetKeyRow {
    /// Scope of the sheet.
    pub scope: DbTenant,
    /// Code of the level: the length of the period.
    pub level: i16,
    /// Code of the part: pages or totals.
    pub part: i16,
    /// Beginning of the period.
    pub start: DbTime,
    /// Number of the run.
    pub run: i32,
}

impl SheetKeyRow {
    /// Converts a key. `scope` is the scope of the key, as the database stores it.
    pub fn new(scope: DbTenant, key: SheetKey) -> Result<Self> {
        Ok(Self {
            scope,
            level: key.level.code().into(),
            part: key.part.code().into(),
            start: DbTime(key.start),
            run: i32::try_from(key.run).map_err(Error::internal)?,
        })
    }
}
