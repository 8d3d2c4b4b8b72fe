//! A forwarding stream as administrators see it, without its secrets.

use serde::Serialize;
use serde_json::{Map, Value, json};
use trailkeeper_domain::Result;
use trailkeeper_domain::cursor::PlainCursor;
use trailkeeper_domain::stream::{Failures, LastError, Stream, StreamDraft};
use trailkeeper_domain::time::Timestamp;
use trailkeeper_domain::usecase::StreamLag;
use utoipa::ToSchema;
use uuid::Uuid;

use super::filter::StreamFilter;
use crate::native::schemas;
use crate::state::AppState;

/// A forwarding stream: the server sends the events that match to the destination, each at least once, in the order of the
/// feed.
#[derive(Serialize, ToSchema)]
#[schema(example = StreamView::sample)]
pub struct StreamView {
    /// The id.
    #[schema(value_type = schemas::StreamId)]
    stream_id: Uuid,
    /// The display name.
    #[schema(required, value_type = Option<schemas::CredentialName>)]
    name: Option<String>,
    /// The only tenant whose events it sends; null: all tenants, the server's own audit trail included.
    #[schema(required, value_type = Option<schemas::TenantId>)]
    tenant_id: Option<Uuid>,
    /// The conditions on the events that it sends.
    #[schema(value_type = StreamFilter)]
    filter: Map<String, Value>,
    /// Where it sends them.
    #[schema(value_type = schemas::StreamDestination)]
    destination: String,
    /// How it writes them.
    #[schema(value_type = schemas::StreamFormat)]
    format: &'static str,
    /// `active`; `paused`, by an administrator or because the destination answered 410; or `failing`: it has not succeeded
    /// for a day, or cannot go on, tries again every hour, and skips nothing.
    #[schema(value_type = schemas::StreamState)]
    state: &'static str,
    /// The position in the feed behind which it continues: a cursor of `GET /v1/events/feed`.
    #[schema(value_type = schemas::FeedCursor)]
    position: String,
    /// About how many events are stored behind the position, whether they match or not. Null if the position is of the
    /// database before it was restored. It may count events of the last ten seconds that do not match.
    #[schema(required, value_type = Option<schemas::Count>)]
    behind_events: Option<i64>,
    /// The time when the first event behind the position was received; null if there is none.
    #[schema(required, value_type = Option<schemas::Instant>)]
    behind_since: Option<Timestamp>,
    /// The time when the destination last accepted a message; null if it never did.
    #[schema(required, value_type = Option<schemas::Instant>)]
    last_success_at: Option<Timestamp>,
    /// The reason of the last failure. It stays when a later message was accepted.
    #[schema(required, value_type = Option<schemas::StreamError>)]
    last_error: Option<String>,
    /// The time of the last failure.
    #[schema(required, value_type = Option<schemas::Instant>)]
    last_error_at: Option<Timestamp>,
    /// The number of failures since the last success.
    #[schema(value_type = schemas::Count)]
    failures: u32,
    /// The time of the first failure since the last success.
    #[schema(required, value_type = Option<schemas::Instant>)]
    failing_since: Option<Timestamp>,
    /// The time of the next attempt, after a failure.
    #[schema(required, value_type = Option<schemas::Instant>)]
    next_attempt_at: Option<Timestamp>,
    /// The time when a rule of retention was last found to have removed events before they were sent; null if never.
    #[schema(required, value_type = Option<schemas::Instant>)]
    gap_at: Option<Timestamp>,
    /// The time until which the secret before the last rotation signs as well; null if there was none.
    #[schema(required, value_type = Option<schemas::Instant>)]
    previous_secret_until: Option<Timestamp>,
    /// The time of creation.
    #[schema(value_type = schemas::Instant)]
    created_at: Timestamp,
    /// The time when an administrator changed it last.
    #[schema(value_type = schemas::Instant)]
    changed_at: Timestamp,
}

impl StreamView {
    /// The stream with its lag, which is read from the database.
    pub fn of(state: &AppState, stream: Stream) -> Result<Self> {
        let lag = state.access().stream_lag(&stream)?;
        Ok(Self::with(stream, lag))
    }

    fn with(stream: Stream, lag: Option<StreamLag>) -> Self {
        let Stream { about, failures, last_error, .. } = stream;
        let StreamDraft { name, tenant_id, conditions, destination, format } = about;
        let (last_error_at, last_error) = last_error.map(|LastError { at, text }| (at, text)).unzip();
        let (failing_since, next_attempt_at) = failures.map(|Failures { since, next_at, .. }| (since, next_at)).unzip();
        Self {
            stream_id: stream.id.0,
            name,
            tenant_id: tenant_id.map(|tenant| tenant.0),
            filter: conditions.to_json(),
            destination: destination.url().to_owned(),
            format: format.as_str(),
            state: stream.state.as_str(),
            // Only administrators who are not tenant-scoped see streams, and such callers get plain cursors.
            position: (*PlainCursor::of_feed(&stream.position)).to_owned(),
            behind_events: lag.map(|lag| lag.numbers),
            behind_since: lag.and_then(|lag| lag.since),
            last_success_at: stream.last_success_at,
            last_error,
            last_error_at,
            failures: failures.map_or(0, |failures| failures.count),
            failing_since,
            next_attempt_at,
            gap_at: stream.gap_at,
            previous_secret_until: stream.secrets.previous.map(|(_, until)| until),
            created_at: stream.created_at,
            changed_at: stream.changed_at,
        }
    }

    /// The example of the documentation.
    pub fn sample() -> Value {
        let at = |seconds| Timestamp::from_timestamp(seconds, 0).unwrap_or_default();
        json!(Self {
            stream_id: uuid::uuid!("01975f3c-2b4e-7c10-9a31-5f0d2f9b1c07"),
            name: Some("SIEM".to_owned()),
            tenant_id: None,
            filter: Map::from_iter([("type".to_owned(), json!(["login_fail"]))]),
            destination: "https://siem.example/events".to_owned(),
            format: "native",
            state: "active",
            position: schemas::SAMPLE_FEED_CURSOR.to_owned(),
            behind_events: Some(0),
            behind_since: None,
            last_success_at: Some(at(1_769_860_860)),
            last_error: None,
            last_error_at: None,
            failures: 0,
            failing_since: None,
            next_attempt_at: None,
            gap_at: None,
            previous_secret_until: None,
            created_at: at(1_769_860_800),
            changed_at: at(1_769_860_800),
        })
    }
}
