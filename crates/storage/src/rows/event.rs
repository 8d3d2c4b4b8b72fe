//! Events as rows.
#![expect(clippy::ref_option_ref, reason = "what diesel derives for a column that is a text or null")]

use diesel::{Insertable, Queryable, Selectable};
use trailkeeper_domain::event::{Event, EventKind, Outcome, StoredEvent, Target};
use trailkeeper_domain::id::{EnvId, EventId, TenantId, UserId};
use trailkeeper_domain::page::Page;
use trailkeeper_domain::{Error, Result};

use super::unreadable;
use crate::columns::{Address, DbTime, DbUuid, JsonText};
use crate::schema::events;

const TABLE: &str = "events";

/// An event as it is stored.
#[derive(Debug, Queryable, Selectable)]
#[diesel(table_name = events)]
pub struct EventRow {
    seq: i64,
    tenant_id: DbUuid,
    id: DbUuid,
    env_id: i64,
    occurred_at: DbTime,
    received_at: DbTime,
    user_id: Option<String>,
    user_name: Option<String>,
    kind: String,
    outcome: String,
    source: Option<Address>,
    user_agent: Option<String>,
    page: Option<String>,
    page_key: Option<String>,
    session_id: Option<String>,
    trace_id: Option<String>,
    target_type: Option<String>,
    target_id: Option<String>,
    target_name: Option<String>,
    metadata: Option<JsonText>,
}

impl TryFrom<EventRow> for StoredEvent {
    type Error = Error;

    fn try_from(row: EventRow) -> Result<Self> {
        let id = row.id.0;
        let wrong = |column: &'static str| move |reason: String| unreadable(TABLE, column, id, reason);
        let outcome = Outcome::parse("outcome", &row.outcome).map_err(|e| wrong("outcome")(e.to_string()))?;
        let env_id = u32::try_from(row.env_id).map_err(|e| wrong("env_id")(format!("{}: {e}", row.env_id)))?;
        let page = match (row.page, row.page_key) {
            (Some(sent), Some(key)) => Some(Page { sent, key }),
            (None, None) => None,
            (sent, _) => return Err(wrong("page_key")(format!("stands alone beside the page {sent:?}"))),
        };
        let metadata = match row.metadata {
            Some(JsonText(text)) => {
                Some(serde_json::from_str(&text).map_err(|e| wrong("metadata")(format!("is no JSON object: {e}")))?)
            }
            None => None,
        };
        let target = Target { kind: row.target_type, id: row.target_id, name: row.target_name };
        Ok(Self {
            seq: row.seq,
            event: Event {
                id: EventId(row.id.0),
                tenant_id: TenantId(row.tenant_id.0),
                env_id: EnvId(env_id),
                occurred_at: row.occurred_at.0,
                received_at: row.received_at.0,
                user_id: row.user_id.map(UserId::stored),
                user_name: row.user_name,
                kind: EventKind::known(row.kind),
                outcome,
                source: row.source.map(|Address(address)| address),
                user_agent: row.user_agent,
                page,
                session_id: row.session_id,
                trace_id: row.trace_id,
                target: Some(target).filter(|target| *target != Target::default()),
                metadata,
            },
        })
    }
}

/// An event on its way in. The database gives it its place in the order of storage.
#[derive(Debug, Insertable)]
#[diesel(table_name = events, treat_none_as_default_value = false)]
pub struct NewEventRow<'a> {
    pub tenant_id: DbUuid,
    pub id: DbUuid,
    pub env_id: i64,
    pub occurred_at: DbTime,
    pub received_at: DbTime,
    pub user_id: Option<&'a str>,
    pub user_name: Option<&'a str>,
    pub kind: &'a str,
    pub outcome: &'a str,
    pub source: Option<Address>,
    pub user_agent: Option<&'a str>,
    pub page: Option<&'a str>,
    pub page_key: Option<&'a str>,
    pub session_id: Option<&'a str>,
    pub trace_id: Option<&'a str>,
    pub target_type: Option<&'a str>,
    pub target_id: Option<&'a str>,
    pub target_name: Option<&'a str>,
    pub metadata: Option<JsonText>,
}

impl<'a> TryFrom<&'a Event> for NewEventRow<'a> {
    type Error = Error;

    fn try_from(event: &'a Event) -> Result<Self> {
        let target = event.target.as_ref();
        let metadata = event.metadata.as_ref().map(serde_json::to_string).transpose().map_err(Error::internal)?;
        Ok(Self {
            tenant_id: DbUuid(event.tenant_id.0),
            id: DbUuid(event.id.0),
            env_id: i64::from(event.env_id.0),
            occurred_at: DbTime(event.occurred_at),
            received_at: DbTime(event.received_at),
            user_id: event.user_id.as_ref().map(UserId::as_str),
            user_name: event.user_name.as_deref(),
            kind: event.kind.as_str(),
            outcome: event.outcome.as_str(),
            source: event.source.map(Address),
            user_agent: event.user_agent.as_deref(),
            page: event.page.as_ref().map(|page| page.sent.as_str()),
            page_key: event.page.as_ref().map(|page| page.key.as_str()),
            session_id: event.session_id.as_deref(),
            trace_id: event.trace_id.as_deref(),
            target_type: target.and_then(|target| target.kind.as_deref()),
            target_id: target.and_then(|target| target.id.as_deref()),
            target_name: target.and_then(|target| target.name.as_deref()),
            metadata: metadata.map(JsonText),
        })
    }
}
