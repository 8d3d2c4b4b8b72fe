//! The events as this contract shows them.

use serde::Serialize;
use trailkeeper_domain::event::{Event, StoredEvent};
use trailkeeper_domain::time::rfc3339;
use trailkeeper_domain::{Error, Result};
use utoipa::ToSchema;

use super::values;
use super::vocabulary::{AuthEventType, EventResponse};

/// One event of a user.
#[derive(Serialize, ToSchema)]
pub struct AuthEvent {
    /// The event's UUID.
    #[schema(format = Uuid)]
    event_id: String,
    /// The type of the event.
    #[schema(value_type = values::EventTypeName, inline)]
    event_type: &'static str,
    /// The time of the event.
    #[schema(value_type = values::Instant, inline)]
    creation_date: String,
    /// The outcome.
    #[schema(value_type = values::EventResponseName, inline)]
    event_response: &'static str,
    /// The sender's risk rating: `event_risk` of the event's metadata, if that is a text.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    event_risk: Option<String>,
    /// The origin of the event; left out if nothing is known of it.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    event_context_data: Option<EventContextData>,
}

/// The origin of an event. Unknown fields are left out.
#[derive(Default, PartialEq, Serialize, ToSchema)]
pub struct EventContextData {
    /// The IPv4 or IPv6 address.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    ip_address: Option<String>,
    /// The user agent.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    device_name: Option<String>,
    /// The `city` of the event's metadata, if that is a text.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    city: Option<String>,
    /// The `country` of the event's metadata, if that is a text.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    country: Option<String>,
}

impl AuthEvent {
    /// The contract's view of a stored event. [`Error::Internal`] if the contract does not know its type.
    pub fn of(stored: StoredEvent) -> Result<Self> {
        let event = stored.event;
        let event_type = AuthEventType::of(&event.kind)
            .ok_or_else(|| Error::internal(format!("an event of type '{}' was listed here", event.kind)))?;
        Ok(Self {
            event_id: event.id.to_string(),
            event_type: event_type.as_str(),
            creation_date: rfc3339(event.occurred_at),
            event_response: EventResponse::of(&event).as_str(),
            event_risk: metadata_text(&event, "event_risk"),
            event_context_data: Some(EventContextData::of(event))
                .filter(|context| *context != EventContextData::default()),
        })
    }

    /// An example event for the OpenAPI document.
    pub fn sample() -> Self {
        Self {
            event_id: "01975f3c-2b4e-7c10-9a31-5f0d2f9b1c77".to_owned(),
            event_type: AuthEventType::SignIn.as_str(),
            creation_date: "2026-07-23T10:36:37Z".to_owned(),
            event_response: EventResponse::Pass.as_str(),
            event_risk: Some("Low".to_owned()),
            event_context_data: Some(EventContextData {
                ip_address: Some("203.0.113.7".to_owned()),
                device_name: Some("Mozilla/5.0".to_owned()),
                city: Some("Lisbon".to_owned()),
                country: Some("Portugal".to_owned()),
            }),
        }
    }
}

impl EventContextData {
    fn of(event: Event) -> Self {
        let (city, country) = (metadata_text(&event, "city"), metadata_text(&event, "country"));
        let ip_address = event.source.map(|address| address.to_string());
        Self { ip_address, device_name: event.user_agent, city, country }
    }
}

fn metadata_text(event: &Event, key: &str) -> Option<String> {
    event.metadata.as_ref()?.text(key)
}
