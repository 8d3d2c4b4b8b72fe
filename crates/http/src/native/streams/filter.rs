//! The conditions of a stream in JSON.

use std::net::IpAddr;

use serde::Serialize;
use trailkeeper_domain::Result;
use trailkeeper_domain::json::JsonObject;
use trailkeeper_domain::stream::Conditions;
use utoipa::ToSchema;

use crate::native::schemas;
use crate::operation::BodyField;

/// The conditions on the events that a stream sends: the filters of `GET /v1/events`, without tenant and time. An event must
/// meet every condition that is present. An empty list is no condition.
#[derive(Serialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(example = StreamFilter::sample)]
pub struct StreamFilter {
    /// Only events of these environments.
    #[schema(nullable = false, max_items = 50, value_type = Option<Vec<schemas::EnvId>>)]
    env_id: Option<Vec<u32>>,
    /// No events of these environments.
    #[schema(nullable = false, max_items = 50, value_type = Option<Vec<schemas::EnvId>>)]
    env_id_not: Option<Vec<u32>>,
    /// Only events of these users.
    #[schema(nullable = false, max_items = 50, value_type = Option<Vec<schemas::UserId>>)]
    user_id: Option<Vec<String>>,
    /// No events of these users. Events without a user stay.
    #[schema(nullable = false, max_items = 50, value_type = Option<Vec<schemas::UserId>>)]
    user_id_not: Option<Vec<String>>,
    /// Only events of these types.
    #[schema(nullable = false, max_items = 50, value_type = Option<Vec<schemas::EventType>>)]
    r#type: Option<Vec<String>>,
    /// No events of these types.
    #[schema(nullable = false, max_items = 50, value_type = Option<Vec<schemas::EventType>>)]
    type_not: Option<Vec<String>>,
    /// Only events with these outcomes.
    #[schema(nullable = false, max_items = 50, value_type = Option<Vec<schemas::EventOutcome>>)]
    outcome: Option<Vec<String>>,
    /// No events with these outcomes.
    #[schema(nullable = false, max_items = 50, value_type = Option<Vec<schemas::EventOutcome>>)]
    outcome_not: Option<Vec<String>>,
    /// Only events from these addresses or networks.
    #[schema(nullable = false, max_items = 50, value_type = Option<Vec<schemas::AddressOrNetwork>>)]
    source: Option<Vec<IpAddr>>,
    /// No events from these addresses or networks. Events without a source stay.
    #[schema(nullable = false, max_items = 50, value_type = Option<Vec<schemas::AddressOrNetwork>>)]
    source_not: Option<Vec<IpAddr>>,
    /// Only events on these pages, as statistics group pages.
    #[schema(nullable = false, max_items = 50, value_type = Option<Vec<schemas::Page>>)]
    page: Option<Vec<String>>,
    /// No events on these pages. Events without a page stay.
    #[schema(nullable = false, max_items = 50, value_type = Option<Vec<schemas::Page>>)]
    page_not: Option<Vec<String>>,
    /// Only events of these sessions of the application.
    #[schema(nullable = false, max_items = 50, value_type = Option<Vec<schemas::SessionId>>)]
    session_id: Option<Vec<String>>,
    /// No events of these sessions. Events without a session stay.
    #[schema(nullable = false, max_items = 50, value_type = Option<Vec<schemas::SessionId>>)]
    session_id_not: Option<Vec<String>>,
    /// Only events on objects of these types.
    #[schema(nullable = false, max_items = 50, value_type = Option<Vec<schemas::TargetType>>)]
    target_type: Option<Vec<String>>,
    /// No events on objects of these types. Events on no object stay.
    #[schema(nullable = false, max_items = 50, value_type = Option<Vec<schemas::TargetType>>)]
    target_type_not: Option<Vec<String>>,
    /// Only events on the objects with these ids.
    #[schema(nullable = false, max_items = 50, value_type = Option<Vec<schemas::TargetText>>)]
    target_id: Option<Vec<String>>,
    /// No events on the objects with these ids. Events on no object stay.
    #[schema(nullable = false, max_items = 50, value_type = Option<Vec<schemas::TargetText>>)]
    target_id_not: Option<Vec<String>>,
}

impl StreamFilter {
    fn sample() -> serde_json::Value {
        serde_json::json!({
            "env_id": [1], "env_id_not": [2], "user_id": ["u-4711"], "user_id_not": ["u-1"], "type": ["login_fail"],
            "type_not": ["page_load"], "outcome": ["failure"], "outcome_not": ["success"], "source": ["203.0.113.0/24"],
            "source_not": ["10.0.0.0/8"], "page": ["/login"], "page_not": ["/healthz"], "session_id": ["s-1"],
            "session_id_not": ["s-2"], "target_type": ["invoice"], "target_type_not": ["draft"], "target_id": ["4711"],
            "target_id_not": ["4712"],
        })
    }
}

impl BodyField for Conditions {
    const EXPECTED: &'static str = "an object with lists of values, for example {\"type\": [\"login_fail\"]}";

    fn take(json: &mut JsonObject, name: &str, expected: &str) -> Result<Option<Self>> {
        json.object(name, expected)?.map(Self::read).transpose()
    }
}
