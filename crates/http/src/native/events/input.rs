//! An event as senders write it.

use std::borrow::Cow;
use std::net::IpAddr;

use serde_json::{Value, json};
use trailkeeper_domain::event::{EventDraft, EventKind, Outcome, Target};
use trailkeeper_domain::id::{EnvId, EventId, TenantId, UserId};
use trailkeeper_domain::time::Timestamp;
use utoipa::openapi::schema::{ArrayBuilder, Schema};
use utoipa::openapi::{Ref, RefOr};
use utoipa::{PartialSchema, ToSchema};

use crate::native::schemas;
use crate::operation::Body;

/// An event. Only `type` is required; null is the same as leaving a field out, and so is an empty text in an optional
/// field. A wrong `id`, `occurred_at`, `tenant_id`, `env_id`, `type` or `outcome` refuses the event, a wrong value of
/// another field never does. So the schema does not limit those: a generated client that checks its values would lose the
/// event instead.
#[derive(ToSchema, Body)]
#[serde(deny_unknown_fields)]
#[body(name = "an event", parsed_as = EventDraft)]
#[schema(example = EventInput::sample)]
#[expect(dead_code, reason = "it describes what `EventDraft` reads")]
pub struct EventInput {
    /// Your id of the event. If an event with this id is sent to this tenant again, it is known and not stored twice.
    #[schema(value_type = Option<schemas::EventId>)]
    id: Option<EventId>,
    /// The time of the event; absent: now. At most 10 minutes in the future.
    #[schema(value_type = Option<schemas::Instant>)]
    occurred_at: Option<Timestamp>,
    /// The tenant; absent: the tenant that the credential is scoped to, or else no tenant.
    #[schema(value_type = Option<schemas::TenantId>)]
    tenant_id: Option<TenantId>,
    /// The environment; absent: 1.
    #[schema(value_type = Option<schemas::EnvId>)]
    env_id: Option<EnvId>,
    /// The user that the event is about. The user need not have a record. 1 to 128 characters; a wrong value is
    /// kept in `original`.
    #[schema(value_type = Option<String>)]
    user_id: Option<UserId>,
    /// The user's display name. One of more than 256 characters is cut.
    user_name: Option<String>,
    /// The type of the event.
    #[schema(value_type = schemas::EventType)]
    r#type: EventKind,
    /// The outcome; absent: the outcome that the type implies, or else `unknown`.
    #[schema(value_type = Option<schemas::EventOutcome>)]
    outcome: Option<Outcome>,
    /// The source address; absent: the address that sent the request. A text that is no address is kept in `original`.
    #[schema(value_type = Option<String>)]
    source: Option<IpAddr>,
    /// The user agent. One of more than 1,024 characters is cut.
    user_agent: Option<String>,
    /// The page, as a URL or a path. An event with a page is a page view. 1 to 2,048 characters; a wrong value is
    /// kept in `original`.
    page: Option<String>,
    /// The id of the application's session, 1 to 128 characters. A wrong value is kept in `original`.
    session_id: Option<String>,
    /// The id of the request or trace that the event belongs to, 1 to 128 characters. A wrong value is kept in
    /// `original`.
    trace_id: Option<String>,
    /// The object that the event is about.
    target: Option<TargetInput>,
    /// Further data: an object of at most 16 KiB, at most 32 levels deep. Numbers keep their digits, and count towards the
    /// 16 KiB as they are without an exponent. A wrong value is kept in `original`.
    #[schema(value_type = Option<schemas::Metadata>)]
    metadata: Option<Value>,
}

/// The object that an event is about.
#[derive(ToSchema)]
#[serde(deny_unknown_fields)]
#[expect(dead_code, reason = "it describes what `EventDraft` reads")]
pub struct TargetInput {
    /// The type of the object, 1 to 64 characters. A wrong value is kept in `original`.
    r#type: Option<String>,
    /// The object's id, 1 to 256 characters. A wrong value is kept in `original`.
    id: Option<String>,
    /// The object's display name. One of more than 256 characters is cut.
    name: Option<String>,
}

const _: () = assert!(
    crate::operation::same_names(&["type", "id", "name"], &Target::FIELDS),
    "the documented fields are not those that are read"
);

impl EventInput {
    fn sample() -> Value {
        json!({
            "id": "01975f3c-2b4e-7c10-9a31-5f0d2f9b1c77",
            "occurred_at": "2026-01-31T12:00:00Z",
            "tenant_id": "69e732d6-8ecc-45c4-a2eb-8438f7ffe775",
            "env_id": 1,
            "user_id": "u-4711",
            "user_name": "Jane Doe",
            "type": "page_load",
            "outcome": "success",
            "source": "203.0.113.7",
            "user_agent": "Mozilla/5.0",
            "page": "/invoices?page=2",
            "session_id": "s-1",
            "trace_id": "4bf92f3577b34da6a3ce929d0e0e4736",
            "target": {"type": "invoice", "id": "4711", "name": null},
            "metadata": {"plan": "pro"},
        })
    }
}

/// A list of 1 to 5,000 events. Only the description has the limit: `maxItems` would promise a 400, and too many events
/// are a 413, as too many bytes are.
///
/// The server also takes one event without a list. The schema does not say so: clients that are generated from a choice
/// between an object and a list send a list as one empty object.
pub struct EventsInput;

impl PartialSchema for EventsInput {
    fn schema() -> RefOr<Schema> {
        ArrayBuilder::new()
            .items(Ref::from_schema_name(EventInput::name()))
            .min_items(Some(1))
            .description(Some("1 to 5,000 events. Each is validated by itself."))
            .examples([json!([EventInput::sample(), {"type": "logout", "user_id": "u-4711"}])])
            .into()
    }
}

impl ToSchema for EventsInput {
    fn name() -> Cow<'static, str> {
        Cow::Borrowed("EventsInput")
    }

    fn schemas(schemas: &mut Vec<(String, RefOr<Schema>)>) {
        schemas.push((EventInput::name().into_owned(), EventInput::schema()));
        EventInput::schemas(schemas);
    }
}
