//! The format `cloudevents`: a batch of events in the JSON format of `CloudEvents` 1.0.

use serde::Serialize;
use serde_json::json;
use trailkeeper_domain::cursor::{FeedPosition, PlainCursor};
use trailkeeper_domain::event::StoredEvent;
use trailkeeper_domain::id::{StreamId, UserId};
use trailkeeper_domain::time::Timestamp;
use trailkeeper_domain::{Error, Result};
use uuid::Uuid;

use super::native::NativeEvent;
use crate::message::Message;

/// The type of a body (section 2.3 of the JSON format).
pub(super) const CONTENT_TYPE: &str = "application/cloudevents-batch+json";
const VERSION: &str = "1.0";

/// One event. Its source is the tenant, because ids are unique inside a tenant.
#[derive(Serialize)]
struct CloudEvent<'a> {
    specversion: &'static str,
    id: Uuid,
    source: String,
    r#type: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    subject: Option<&'a str>,
    time: Timestamp,
    datacontenttype: &'static str,
    data: NativeEvent<'a>,
}

/// One event.
pub(super) fn write(body: &mut Vec<u8>, stored: &StoredEvent, position: &FeedPosition) -> Result<()> {
    let (event, cursor) = (&stored.event, PlainCursor::of_feed(position));
    let event = CloudEvent {
        specversion: VERSION,
        id: event.id.0,
        source: format!("/v1/tenants/{}", event.tenant_id),
        r#type: format!("trailkeeper.event.{}", event.kind),
        subject: event.user_id.as_ref().map(UserId::as_str),
        time: event.occurred_at,
        datacontenttype: "application/json",
        data: NativeEvent::of(stored, &cursor),
    };
    serde_json::to_writer(body, &event).map_err(Error::internal)
}

/// A test message.
pub(super) fn test(stream: StreamId, id: Uuid, now: Timestamp) -> Result<Message> {
    let body = json!([{
        "specversion": VERSION, "id": id, "source": format!("/v1/streams/{stream}"), "type": "trailkeeper.stream.test",
        "time": now,
    }]);
    Ok(Message::new(stream, CONTENT_TYPE, serde_json::to_vec(&body).map_err(Error::internal)?))
}
