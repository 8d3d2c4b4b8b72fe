//! Rows of forwarding streams.

use diesel::{AsChangeset, Insertable, Queryable, Selectable};
use trailkeeper_domain::cursor::FeedPosition;
use trailkeeper_domain::id::{StreamId, TenantId};
use trailkeeper_domain::json::JsonObject;
use trailkeeper_domain::stream::{
    Conditions, Destination, Failures, LastError, SealedSecrets, Stream, StreamDraft, StreamFormat, StreamState,
};
use trailkeeper_domain::time::Timestamp;
use trailkeeper_domain::{Error, Result};

use super::unreadable;
use crate::columns::{DbTime, DbUuid};
use crate::schema::streams;

const TABLE: &str = "streams";

/// A forwarding stream.
#[derive(Debug, Queryable, Selectable, Insertable, AsChangeset)]
#[diesel(table_name = streams)]
#[diesel(treat_none_as_default_value = false, treat_none_as_null = true)]
pub struct StreamRow {
    id: DbUuid,
    revision: i64,
    name: Option<String>,
    tenant_id: Option<DbUuid>,
    conditions: String,
    destination: String,
    format: String,
    sealed_secret: Vec<u8>,
    previous_secret: Option<Vec<u8>>,
    previous_until: Option<DbTime>,
    state: String,
    history: DbUuid,
    after_seq: i64,
    removed: i64,
    pending_until: Option<i64>,
    failures: i32,
    failing_since: Option<DbTime>,
    next_attempt_at: Option<DbTime>,
    last_success_at: Option<DbTime>,
    last_error: Option<String>,
    last_error_at: Option<DbTime>,
    gap_at: Option<DbTime>,
    created_at: DbTime,
    changed_at: DbTime,
}

impl StreamRow {
    /// The row of a stream, with this revision.
    pub fn new(stream: &Stream, revision: i64) -> Result<Self> {
        let Stream { about, secrets, position, failures, .. } = stream;
        let (previous_secret, previous_until) = secrets.previous.clone().unzip();
        Ok(Self {
            id: DbUuid(stream.id.0),
            revision,
            name: about.name.clone(),
            tenant_id: about.tenant_id.map(|tenant| DbUuid(tenant.0)),
            conditions: serde_json::Value::Object(about.conditions.to_json()).to_string(),
            destination: about.destination.url().to_owned(),
            format: about.format.as_str().to_owned(),
            sealed_secret: secrets.current.clone(),
            previous_secret,
            previous_until: previous_until.map(DbTime),
            state: stream.state.as_str().to_owned(),
            history: DbUuid(position.history),
            after_seq: position.after,
            removed: i64::try_from(position.removed).map_err(Error::internal)?,
            pending_until: stream.pending_until,
            failures: failures.map_or(Ok(0), |failures| i32::try_from(failures.count)).map_err(Error::internal)?,
            failing_since: failures.map(|failures| DbTime(failures.since)),
            next_attempt_at: failures.map(|failures| DbTime(failures.next_at)),
            last_success_at: stream.last_success_at.map(DbTime),
            last_error: stream.last_error.as_ref().map(|error| error.text.clone()),
            last_error_at: stream.last_error.as_ref().map(|error| DbTime(error.at)),
            gap_at: stream.gap_at.map(DbTime),
            created_at: DbTime(stream.created_at),
            changed_at: DbTime(stream.changed_at),
        })
    }

    /// The stream.
    pub fn into_stream(self) -> Result<Stream> {
        let id = self.id.0;
        let wrong = |column: &'static str| move |error: Error| unreadable(TABLE, column, id, error);
        let damaged = |column: &'static str| unreadable(TABLE, column, id, "a value that no server writes");
        let conditions = JsonObject::parse("conditions", self.conditions.as_bytes()).and_then(Conditions::read);
        let state = StreamState::ALL.into_iter().find(|state| state.as_str() == self.state);
        let failures = match (u32::try_from(self.failures), self.failing_since, self.next_attempt_at) {
            (Ok(0), None, None) => None,
            (Ok(count), Some(since), Some(next_at)) => Some(Failures { since: since.0, count, next_at: next_at.0 }),
            _ => return Err(damaged("failures, failing_since, next_attempt_at")),
        };
        Ok(Stream {
            id: StreamId(id),
            revision: self.revision,
            about: StreamDraft {
                name: self.name,
                tenant_id: self.tenant_id.map(|DbUuid(tenant)| TenantId(tenant)),
                conditions: conditions.map_err(wrong("conditions"))?,
                destination: Destination::parse("destination", &self.destination).map_err(wrong("destination"))?,
                format: StreamFormat::parse("format", &self.format).map_err(wrong("format"))?,
            },
            secrets: SealedSecrets {
                current: self.sealed_secret,
                previous: self.previous_secret.zip(self.previous_until.map(time_of)),
            },
            state: state.ok_or_else(|| damaged("state"))?,
            position: FeedPosition {
                history: self.history.0,
                after: self.after_seq,
                removed: u64::try_from(self.removed).map_err(|error| unreadable(TABLE, "removed", id, error))?,
                reader: 0,
            },
            pending_until: self.pending_until,
            failures,
            last_success_at: self.last_success_at.map(time_of),
            last_error: self.last_error_at.zip(self.last_error).map(|(at, text)| LastError { at: at.0, text }),
            gap_at: self.gap_at.map(time_of),
            created_at: self.created_at.0,
            changed_at: self.changed_at.0,
        })
    }
}

fn time_of(DbTime(at): DbTime) -> Timestamp {
    at
}
