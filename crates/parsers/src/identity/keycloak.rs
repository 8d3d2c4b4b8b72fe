//! Events of Keycloak: `EventRepresentation` and `AdminEventRepresentation` of its admin REST API.

use chrono::DateTime;
use trailkeeper_domain::event::{EventDraft, LOGIN_FAIL, LOGIN_SUCCESS, LOGOUT, Target, USERINFO};
use trailkeeper_domain::json::{JsonObject, JsonValue, canonical};
use trailkeeper_domain::text::shown;
use trailkeeper_domain::time::{MAX_UNIX_SECONDS, Timestamp};
use trailkeeper_domain::{Error, Result};

use crate::derived_id::{derived_id, of_provider};
use crate::details::{Details, outcome, text};

const PROVIDER: &str = "keycloak";
const MILLISECONDS: &str = "the milliseconds since 1970, as Keycloak writes them";

/// Types of Keycloak that have one of ours, without the ending of their failures.
const TYPES: [(&str, &str); 7] = [
    ("LOGIN", LOGIN_SUCCESS),
    ("LOGOUT", LOGOUT),
    ("REGISTER", "sign_up"),
    ("USER_INFO_REQUEST", USERINFO),
    ("UPDATE_PASSWORD", "password_change"),
    ("RESET_PASSWORD", "password_change"),
    ("SEND_RESET_PASSWORD", "forgot_password"),
];

/// The event of a user event or an admin event.
pub fn draft(bytes: &[u8]) -> Result<EventDraft> {
    let mut record = JsonObject::parse("an event of Keycloak", bytes)?;
    let id = match text(&mut record, "id")? {
        Some(id) => of_provider(PROVIDER, &id),
        // Older versions of Keycloak write no ids. Equal events are then one.
        None => derived_id(PROVIDER, &[canonical(&String::from_utf8_lossy(bytes)).as_bytes()]),
    };
    let mut draft = EventDraft { id: Some(id), occurred_at: Some(time(&mut record)?), ..EventDraft::default() };
    let mut details = Details::default();
    details.put_text("provider", PROVIDER);
    let error = text(&mut record, "error")?;
    match text(&mut record, "operationType")? {
        Some(operation) => admin_event(&mut draft, &mut details, &mut record, &operation, error.is_none())?,
        None => user_event(&mut draft, &mut details, &mut record, error.is_none())?,
    }
    if let Some(error) = error {
        details.put_text("error", &error);
    }
    details.take(&mut record, &[("realmId", "realm_id"), ("realmName", "realm"), ("details", "details")]);
    details.finish(&mut draft)?;
    Ok(draft)
}

fn time(record: &mut JsonObject) -> Result<Timestamp> {
    let millis = record.integer("time", 0, MAX_UNIX_SECONDS * 1_000, MILLISECONDS)?;
    millis.and_then(DateTime::from_timestamp_millis).ok_or_else(|| record.missing("time", MILLISECONDS))
}

fn user_event(
    draft: &mut EventDraft,
    details: &mut Details,
    record: &mut JsonObject,
    has_no_error: bool,
) -> Result<()> {
    let kind = record.required("type", "the type of the event, for example LOGIN", JsonObject::text)?;
    let (action, succeeded) =
        kind.strip_suffix("_ERROR").map_or((kind.as_str(), has_no_error), |action| (action, false));
    let inner = match record.take("details") {
        Some(JsonValue::Object(inner)) => Some(inner),
        None => None,
        Some(other) => return Err(Error::invalid("details", format!("is {}; send an object of texts", other.shown()))),
    };
    let mut credential = None;
    if let Some(inner) = &inner {
        let mut object = record.inner("details", inner)?;
        draft.user_name = text(&mut object, "username")?;
        credential = text(&mut object, "credential_type")?;
        details.put("details", &JsonValue::Object(inner.clone()));
    }
    let is_password = action == "UPDATE_CREDENTIAL" && credential.as_deref() == Some("password");
    draft.kind = match TYPES.iter().find(|(theirs, _)| *theirs == action) {
        Some((_, LOGIN_SUCCESS)) if !succeeded => LOGIN_FAIL.to_owned(),
        Some((_, ours)) => (*ours).to_owned(),
        None if is_password => "password_change".to_owned(),
        None => format!("keycloak.{}", lower("type", action, 50)?),
    };
    draft.outcome = Some(outcome(succeeded));
    draft.user_id = text(record, "userId")?;
    draft.session_id = text(record, "sessionId")?;
    draft.source = text(record, "ipAddress")?;
    details.put_text("type", &kind);
    details.take(record, &[("clientId", "client_id")]);
    Ok(())
}

fn admin_event(
    draft: &mut EventDraft,
    details: &mut Details,
    record: &mut JsonObject,
    operation: &str,
    succeeded: bool,
) -> Result<()> {
    let resource = record.required("resourceType", "the type of the resource, for example USER", JsonObject::text)?;
    let resource = lower("resourceType", &resource, 36)?;
    draft.kind = format!("keycloak.admin.{}_{resource}", lower("operationType", operation, 10)?);
    draft.outcome = Some(outcome(succeeded));
    draft.target = Some(Target { kind: Some(resource), id: text(record, "resourcePath")?, name: None });
    if let Some(mut admin) = record.object("authDetails", "an object with the administrator")? {
        draft.user_id = text(&mut admin, "userId")?;
        draft.source = text(&mut admin, "ipAddress")?;
        details.take(
            &mut admin,
            &[("clientId", "client_id"), ("realmId", "admin_realm_id"), ("realmName", "admin_realm")],
        );
    }
    Ok(())
}

/// A name of Keycloak of at most `max` bytes, in lower case. [`Error::Invalid`] for `field` if it has another form than
/// names of Keycloak.
fn lower(field: &str, name: &str, max: usize) -> Result<String> {
    let fits = |byte: u8| byte.is_ascii_uppercase() || byte.is_ascii_digit() || byte == b'_';
    if name.is_empty() || name.len() > max || !name.bytes().all(fits) {
        return Err(Error::invalid(
            field,
            format!("'{}' is no name of Keycloak: up to {max} of A-Z, 0-9 and '_', for example LOGIN", shown(name)),
        ));
    }
    Ok(name.to_ascii_lowercase())
}
