//! Facts, deltas and sheets as rows.

use diesel::sql_types::BigInt;
use diesel::{Queryable, QueryableByName, Selectable};
use trailkeeper_domain::fact::EventFact;
use trailkeeper_domain::id::{EnvId, TenantId};
use trailkeeper_domain::ports::SheetKey;
use trailkeeper_domain::{Error, Result};

use super::{outcome_of_code, unreadable};
use crate::columns::{DbTenant, DbTime, TenantKey};
use crate::schema::{deltas, events, sheets};

/// The part of an event that is counted.
#[derive(Debug, Queryable, Selectable)]
#[diesel(table_name = events)]
pub struct FactRow {
    /// Its place in the order of storage.
    pub seq: i64,
    /// Its tenant, as the database keeps it.
    pub tenant_id: DbTenant,
    /// When it happened.
    pub occurred_at: DbTime,
    env_id: i64,
    page_ref: Option<i32>,
    kind_ref: i32,
    outcome: i16,
    user_ref: Option<i32>,
    source_ref: Option<i32>,
}

impl FactRow {
    /// The fact; `tenant_id` is what the row's own stands for.
    pub fn into_fact(self, tenant_id: TenantId) -> Result<EventFact> {
        let seq = self.seq;
        let wrong =
            |column, value: i64| unreadable("events", column, seq, format!("{value} is not one of its numbers"));
        let id = |column, value: i32| u32::try_from(value).map_err(|_| wrong(column, value.into()));
        Ok(EventFact {
            occurred_at: self.occurred_at.0,
            tenant_id,
            env: EnvId(u32::try_from(self.env_id).map_err(|_| wrong("env_id", self.env_id))?),
            page: self.page_ref.map(|value| id("page_ref", value)).transpose()?,
            kind: id("kind_ref", self.kind_ref)?,
            outcome: outcome_of_code(self.outcome).ok_or_else(|| wrong("outcome", self.outcome.into()))?,
            user: self.user_ref.map(|value| id("user_ref", value)).transpose()?,
            source: self.source_ref.map(|value| id("source_ref", value)).transpose()?,
        })
    }
}

/// A delta that waits.
#[derive(Debug, Queryable, Selectable)]
#[diesel(table_name = deltas)]
pub struct DeltaRow {
    /// Whose.
    pub scope: DbTenant,
    /// Its number.
    pub seq: i64,
    /// Its bytes.
    pub payload: Vec<u8>,
}

/// A sheet among others of its level and part.
#[derive(Debug, Queryable, Selectable)]
#[diesel(table_name = sheets)]
pub struct SheetRow {
    /// Whose.
    pub scope: DbTenant,
    /// Where its period begins.
    pub start: DbTime,
    /// Which of the runs.
    pub run: i32,
    /// Its bytes.
    pub payload: Vec<u8>,
}

/// Where a sheet lies, in the form that its database keeps.
#[derive(Debug, Clone, Copy)]
pub struct SheetPeriodRow {
    /// Whose.
    pub scope: DbTenant,
    /// How long its period is.
    pub level: i16,
    /// Which half.
    pub part: i16,
    /// Where its period begins.
    pub start: DbTime,
    /// Which of the runs.
    pub run: i32,
}

impl SheetPeriodRow {
    /// Where the sheet with this key lies; `scope` is what the key's own is in the database.
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

/// How many payloads a scope has, and their bytes.
#[derive(Debug, QueryableByName)]
pub struct ScopeBytesRow {
    /// Whose.
    #[diesel(sql_type = TenantKey)]
    pub scope: DbTenant,
    /// How many.
    #[diesel(sql_type = BigInt)]
    pub payloads: i64,
    /// Bytes of all of them.
    #[diesel(sql_type = BigInt)]
    pub bytes: i64,
}
