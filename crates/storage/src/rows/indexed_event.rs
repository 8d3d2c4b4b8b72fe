//! The part of events that the index of events knows.

use diesel::{Queryable, Selectable};
use trailkeeper_domain::Result;
use trailkeeper_domain::fact::OTHER_PAGE;
use trailkeeper_domain::id::{EnvId, TenantId};
use trailkeeper_domain::indexed_event::IndexedEvent;

use super::{outcome_of_code, unreadable};
use crate::columns::{DbTenant, DbTime};
use crate::hash_key::{self, HashKey};
use crate::schema::events;

/// The part of an event that the index knows.
#[derive(Debug, Queryable, Selectable)]
#[diesel(table_name = events)]
pub struct IndexedEventRow {
    /// Number in the order of storage.
    pub seq: i64,
    /// Tenant, as the database stores it.
    pub tenant_id: DbTenant,
    occurred_at: DbTime,
    env_id: i64,
    kind_ref: i32,
    outcome: i16,
    user_ref: Option<i32>,
    source_ref: Option<i32>,
    page_ref: Option<i32>,
    page_key: Option<String>,
    session_id: Option<String>,
    target_type: Option<String>,
    target_id: Option<String>,
}

impl IndexedEventRow {
    /// The event. `tenant_id` is the tenant of [`Self::tenant_id`].
    pub fn into_event(self, tenant_id: TenantId, key: &HashKey) -> Result<IndexedEvent> {
        let seq = self.seq;
        let wrong = |column, value: i64| unreadable("events", column, seq, format!("{value} is out of its range"));
        let id = |column, value: i32| u32::try_from(value).map_err(|_| wrong(column, value.into()));
        let page = self.page_ref.map(|value| id("page_ref", value)).transpose()?;
        let hash = |domain, text: Option<&str>| text.map(|text| key.hash32(domain, text.as_bytes()));
        Ok(IndexedEvent {
            seq,
            occurred_at: self.occurred_at.0,
            tenant_id,
            env: EnvId(u32::try_from(self.env_id).map_err(|_| wrong("env_id", self.env_id))?),
            kind: id("kind_ref", self.kind_ref)?,
            outcome: outcome_of_code(self.outcome).ok_or_else(|| wrong("outcome", self.outcome.into()))?,
            user: self.user_ref.map(|value| id("user_ref", value)).transpose()?,
            source: self.source_ref.map(|value| id("source_ref", value)).transpose()?,
            page,
            other_page: hash(hash_key::PAGE_KEY, self.page_key.as_deref()).filter(|_| page == Some(OTHER_PAGE)),
            session: hash(hash_key::SESSION, self.session_id.as_deref()),
            target_type: hash(hash_key::TARGET_TYPE, self.target_type.as_deref()),
            target_id: hash(hash_key::TARGET_ID, self.target_id.as_deref()),
        })
    }
}
