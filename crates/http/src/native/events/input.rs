//! An event as senders write it, for the OpenAPI document. What reads it is `EventDraft::from_json`.

use std::borrow::Cow;

use serde::Serialize;
use serde_json::{Value, json};
use utoipa::openapi::extensions::Extensions;
use utoipa::openapi::schema::{AnyOfBuilder, ArrayBuilder, Schema, SchemaType, Type};
use utoipa::openapi::{Object, ObjectBuilder, Ref, RefOr};
use utoipa::{PartialSchema, ToSchema};

use crate::native::schemas;

/// An event. Only `type` is required; null is the same as leaving a field out.
#[derive(Serialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(example = EventInput::sample)]
pub struct EventInput {
    /// Your id of it: sent again, in this tenant, the event is known and not stored twice.
    #[schema(value_type = Option<schemas::EventId>)]
    id: Option<&'static str>,
    /// When it happened; absent: now. At most 10 minutes in the future.
    #[schema(value_type = Option<schemas::Instant>)]
    occurred_at: Option<&'static str>,
    /// In which tenant; absent: the credential's, where it is confined to one, else none.
    #[schema(value_type = Option<schemas::TenantId>)]
    tenant_id: Option<&'static str>,
    /// In which environment; absent: 1.
    #[schema(value_type = Option<schemas::EnvId>)]
    env_id: Option<u32>,
    /// Whom it is about. The user need not have a record.
    #[schema(value_type = Option<schemas::UserId>)]
    user_id: Option<&'static str>,
    /// The user's name for people.
    #[schema(value_type = Option<schemas::UserName>)]
    user_name: Option<&'static str>,
    /// What happened.
    #[schema(value_type = schemas::EventType)]
    r#type: &'static str,
    /// How it ended; absent: what the type says, else `unknown`.
    #[schema(value_type = Option<schemas::EventOutcome>)]
    outcome: Option<&'static str>,
    /// From which address; absent: the address that sent the request.
    #[schema(value_type = Option<schemas::Address>)]
    source: Option<&'static str>,
    /// With which program.
    #[schema(value_type = Option<schemas::UserAgent>)]
    user_agent: Option<&'static str>,
    /// On which page, a URL or a path. An event with a page is a page view.
    #[schema(value_type = Option<schemas::Page>)]
    page: Option<&'static str>,
    /// In which of the application's sessions.
    #[schema(value_type = Option<schemas::SessionId>)]
    session_id: Option<&'static str>,
    /// Which request or trace it belongs to.
    #[schema(value_type = Option<schemas::TraceId>)]
    trace_id: Option<&'static str>,
    /// On which object.
    target: Option<TargetInput>,
    /// Whatever else: an object of at most 16 KiB, at most 32 levels deep.
    #[schema(value_type = Option<Object>)]
    metadata: Option<Value>,
}

/// The object on which something was done.
#[derive(Serialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct TargetInput {
    /// What kind of object.
    #[schema(value_type = Option<schemas::TargetType>)]
    r#type: Option<&'static str>,
    /// Which one.
    #[schema(value_type = Option<schemas::TargetText>)]
    id: Option<&'static str>,
    /// Its name, for people.
    #[schema(value_type = Option<schemas::TargetText>)]
    name: Option<&'static str>,
}

impl EventInput {
    fn sample() -> Value {
        json!(Self {
            id: Some("01975f3c-2b4e-7c10-9a31-5f0d2f9b1c77"),
            occurred_at: Some("2026-01-31T12:00:00Z"),
            tenant_id: Some("69e732d6-8ecc-45c4-a2eb-8438f7ffe775"),
            env_id: Some(1),
            user_id: Some("u-4711"),
            user_name: Some("Jane Doe"),
            r#type: "page_load",
            outcome: Some("success"),
            source: Some("203.0.113.7"),
            user_agent: Some("Mozilla/5.0"),
            page: Some("/invoices?page=2"),
            session_id: Some("s-1"),
            trace_id: Some("4bf92f3577b34da6a3ce929d0e0e4736"),
            target: Some(TargetInput { r#type: Some("invoice"), id: Some("4711"), name: None }),
            metadata: Some(json!({"plan": "pro"})),
        })
    }
}

/// One event, or a list of 1 to 5,000. The limit stands in words alone: `maxItems` promises a 400, and too
/// many events are a 413 as too many bytes are.
///
/// Each is judged alone, so anything may stand beside an event, and a lone object is judged like a
/// list of one: what is no event is refused in its result. A body without any object is no batch.
pub struct EventsInput;

impl PartialSchema for EventsInput {
    fn schema() -> RefOr<Schema> {
        let event = || Ref::from_schema_name(EventInput::name());
        let object = Object::with_type(Type::Object);
        let items = AnyOfBuilder::new()
            .item(event())
            .item(ObjectBuilder::new().schema_type(SchemaType::AnyValue))
            .description(Some("An event. Anything else is refused in its own result, and the others are stored."));
        let mut list = ArrayBuilder::new().items(items).min_items(Some(1)).build();
        list.extensions = Some(Extensions::from_iter([("contains", json!({"type": "object"}))]));
        AnyOfBuilder::new()
            .description(Some("One event, or a list of 1 to 5,000 of them. Each is judged alone."))
            .item(event())
            .item(object)
            .item(list)
            .examples([EventInput::sample(), json!([EventInput::sample(), {"type": "logout", "user_id": "u-4711"}])])
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
