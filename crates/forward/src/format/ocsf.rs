//! The format `ocsf`: a list of events of the Open Cybersecurity Schema Framework, version 1.5.0.
//!
//! A type with a meaning of its own becomes an event of the class that fits it, every other type a base event. The event as
//! the feed shows it stands in `unmapped.trailkeeper`, so nothing is lost.

use serde::Serialize;
use serde_json::{Map, Value, json};
use trailkeeper_domain::cursor::{FeedPosition, PlainCursor};
use trailkeeper_domain::event::{Event, LOGIN_FAIL, LOGIN_SUCCESS, LOGOUT, Outcome, PAGE_LOAD, REQUEST, StoredEvent};
use trailkeeper_domain::id::{StreamId, UserId};
use trailkeeper_domain::page::Page;
use trailkeeper_domain::time::{Timestamp, rfc3339};
use trailkeeper_domain::{Error, Result};
use uuid::Uuid;

use super::native::NativeEvent;
use crate::message::Message;

/// The version of the schema. Another one changes what receivers get.
const VERSION: &str = "1.5.0";

/// A class, and one of its activities.
#[derive(Clone, Copy)]
struct Class {
    uid: u32,
    name: &'static str,
    category: (u32, &'static str),
    activity: (u32, &'static str),
}

const IAM: (u32, &str) = (3, "Identity & Access Management");

const fn authentication(activity: (u32, &'static str)) -> Class {
    Class { uid: 3002, name: "Authentication", category: IAM, activity }
}

const fn account_change(activity: (u32, &'static str)) -> Class {
    Class { uid: 3001, name: "Account Change", category: IAM, activity }
}

const WEB: Class =
    Class { uid: 6001, name: "Web Resources Activity", category: (6, "Application Activity"), activity: (2, "Read") };
const BASE: Class = Class { uid: 0, name: "Base Event", category: (0, "Uncategorized"), activity: (99, "Other") };

/// The class of an event. `page_load` and `request` without a page have no resource, so they are base events.
fn class_of(event: &Event) -> Class {
    match event.kind.as_str() {
        LOGIN_SUCCESS | LOGIN_FAIL | "login_blocked" => authentication((1, "Logon")),
        LOGOUT | "session_end" => authentication((2, "Logoff")),
        "sign_up" | "account_create" => account_change((1, "Create")),
        "account_enable" => account_change((2, "Enable")),
        "password_change" | "account_password_change" => account_change((3, "Password Change")),
        "forgot_password" => account_change((4, "Password Reset")),
        "account_disable" => account_change((5, "Disable")),
        "account_delete" => account_change((6, "Delete")),
        PAGE_LOAD | REQUEST if event.page.is_some() => WEB,
        _ => BASE,
    }
}

#[derive(Serialize)]
struct OcsfEvent<'a> {
    #[serde(flatten)]
    mapped: Map<String, Value>,
    unmapped: Unmapped<'a>,
}

#[derive(Serialize)]
struct Unmapped<'a> {
    trailkeeper: NativeEvent<'a>,
}

/// One event.
pub(super) fn write(body: &mut Vec<u8>, stored: &StoredEvent, position: &FeedPosition) -> Result<()> {
    let cursor = PlainCursor::of_feed(position);
    let mapped = mapped(&stored.event);
    let event = OcsfEvent { mapped, unmapped: Unmapped { trailkeeper: NativeEvent::of(stored, &cursor) } };
    serde_json::to_writer(body, &event).map_err(Error::internal)
}

/// A test message: one base event.
pub(super) fn test(stream: StreamId, id: Uuid, now: Timestamp) -> Result<Message> {
    let mut event = of_class(BASE, now, Outcome::Success);
    event.insert("message".to_owned(), "test of a forwarding stream".into());
    event.insert("metadata".to_owned(), metadata(id, "stream_test").into());
    Ok(Message::new(stream, "application/json", serde_json::to_vec(&[event]).map_err(Error::internal)?))
}

/// The attributes that every class has.
fn of_class(class: Class, time: Timestamp, outcome: Outcome) -> Map<String, Value> {
    let Class { uid, name, category, activity } = class;
    let (status_id, status) = match outcome {
        Outcome::Success => (1, "Success"),
        Outcome::Failure => (2, "Failure"),
        Outcome::Unknown => (0, "Unknown"),
    };
    let fields = [
        ("class_uid", json!(uid)),
        ("class_name", json!(name)),
        ("category_uid", json!(category.0)),
        ("category_name", json!(category.1)),
        ("activity_id", json!(activity.0)),
        ("activity_name", json!(activity.1)),
        ("type_uid", json!(uid * 100 + activity.0)),
        ("type_name", json!(format!("{name}: {}", activity.1))),
        ("time", json!(time.timestamp_millis())),
        ("severity_id", json!(1)),
        ("severity", json!("Informational")),
        ("status_id", json!(status_id)),
        ("status", json!(status)),
    ];
    fields.into_iter().map(|(field, value)| (field.to_owned(), value)).collect()
}

fn metadata(id: Uuid, kind: &str) -> Map<String, Value> {
    let product = json!({"name": "Trailkeeper", "vendor_name": "Trailkeeper", "version": env!("CARGO_PKG_VERSION")});
    let fields = [("version", json!(VERSION)), ("product", product), ("uid", json!(id)), ("event_code", json!(kind))];
    fields.into_iter().map(|(field, value)| (field.to_owned(), value)).collect()
}

fn mapped(event: &Event) -> Map<String, Value> {
    let class = class_of(event);
    let kind = event.kind.as_str();
    let mut fields = of_class(class, event.occurred_at, event.outcome);
    let mut put = |field: &str, value: Value| fields.insert(field.to_owned(), value);
    put("message", json!(kind));
    let mut about = metadata(event.id.0, kind);
    about.insert("tenant_uid".to_owned(), json!(event.tenant_id.0));
    about.insert("logged_time".to_owned(), json!(event.received_at.timestamp_millis()));
    about.insert("original_time".to_owned(), json!(rfc3339(event.occurred_at)));
    about.extend(event.trace_id.as_ref().map(|trace| ("correlation_uid".to_owned(), json!(trace))));
    put("metadata", about.into());
    if class.uid == BASE.uid {
        return fields;
    }
    if let Some(source) = event.source {
        put("src_endpoint", json!({"ip": source}));
    }
    let acting = user(event.user_id.as_ref().map(UserId::as_str), event.user_name.as_deref());
    if class.uid == WEB.uid {
        let page = event.page.as_ref().map_or("", Page::as_str);
        put("web_resources", json!([{"name": page, "url_string": page}]));
        let request = match &event.user_agent {
            Some(agent) => json!({"url": {"url_string": page}, "user_agent": agent}),
            None => json!({"url": {"url_string": page}}),
        };
        put("http_request", request);
        return fields;
    }
    // In the audit trail, an administrator changes the account of another person.
    let changed = event.target.as_ref().filter(|target| target.kind.as_deref() == Some("account"));
    match changed {
        Some(target) => {
            put("actor", json!({"user": acting}));
            put("user", user(target.id.as_deref(), target.name.as_deref()));
        }
        None => {
            put("user", acting);
        }
    }
    if class.uid == authentication((0, "")).uid {
        // The application that was logged in to: one per tenant.
        put("service", json!({"uid": event.tenant_id.0}));
        if let Some(session) = &event.session_id {
            put("session", json!({"uid": session}));
        }
    }
    fields
}

/// A user, who has an id or a name in this schema.
fn user(id: Option<&str>, name: Option<&str>) -> Value {
    match (id, name) {
        (Some(id), Some(name)) => json!({"uid": id, "name": name}),
        (Some(id), None) => json!({"uid": id}),
        (None, name) => json!({"name": name.unwrap_or("unknown")}),
    }
}
