//! Events of `CloudTrail`, with those of Cognito.

use trailkeeper_domain::event::{EventDraft, LOGIN_FAIL, LOGIN_SUCCESS, LOGOUT, Target, USERINFO};
use trailkeeper_domain::json::{A_TIME, JsonObject, JsonValue};
use trailkeeper_domain::{Error, Result, time};

use crate::derived_id::of_provider;
use crate::details::{Details, outcome, text};

const PROVIDER: &str = "cloudtrail";
const COGNITO: &str = "cognito-idp.amazonaws.com";

/// Calls of Cognito that have one of our types.
const TYPES: [(&str, &str); 14] = [
    ("SignUp", "sign_up"),
    ("Signup_POST", "sign_up"),
    ("ForgotPassword", "forgot_password"),
    ("ForgotPassword_POST", "forgot_password"),
    ("ConfirmForgotPassword", "password_change"),
    ("ConfirmForgotPassword_POST", "password_change"),
    ("ChangePassword", "password_change"),
    ("ResendConfirmationCode", "resend_code"),
    ("ResendCode_POST", "resend_code"),
    ("GlobalSignOut", LOGOUT),
    ("Logout_GET", LOGOUT),
    ("GetUser", USERINFO),
    ("UserInfo_GET", USERINFO),
    ("UserInfo_POST", USERINFO),
];

/// Calls by which users of Cognito log in, step by step.
const LOGINS: [&str; 4] =
    ["InitiateAuth", "AdminInitiateAuth", "RespondToAuthChallenge", "AdminRespondToAuthChallenge"];

/// The event of a record.
pub fn draft(bytes: &[u8]) -> Result<EventDraft> {
    let mut record = JsonObject::parse("a record of CloudTrail", bytes)?;
    // `aws cloudtrail lookup-events` has the record as a text.
    if let Some(inner) = text(&mut record, "CloudTrailEvent")? {
        record = JsonObject::parse("a record of CloudTrail", inner.as_bytes())?;
    }
    let id = record.required("eventID", "the id of the record", JsonObject::text)?;
    let at = record.required_parsed("eventTime", A_TIME, time::parse_rfc3339)?;
    let service =
        record.required("eventSource", "the service, for example cognito-idp.amazonaws.com", JsonObject::text)?;
    let name = record.required("eventName", "the name of the call, for example InitiateAuth", JsonObject::text)?;
    let error = text(&mut record, "errorCode")?;
    let caller = caller(&mut record)?;
    let request = Part::take(&mut record, "requestParameters")?;
    let response = Part::take(&mut record, "responseElements")?;
    let more = Part::take(&mut record, "additionalEventData")?;

    let succeeded = error.is_none() && !more.has_failed_status(&record)?;
    let mut draft = EventDraft {
        id: Some(of_provider(PROVIDER, &id)),
        occurred_at: Some(at),
        source: text(&mut record, "sourceIPAddress")?,
        user_agent: text(&mut record, "userAgent")?,
        outcome: Some(outcome(succeeded)),
        ..EventDraft::default()
    };
    let sub = more.text(&record, "sub")?;
    if service == COGNITO {
        draft.kind = cognito(&name, succeeded, &record, &request, &response)?;
        // An administrator's call is about a user; every other call is the user's own.
        if name.starts_with("Admin") && !LOGINS.contains(&name.as_str()) {
            draft.target = sub.map(|sub| Target { kind: Some("user".to_owned()), id: Some(sub), name: None });
            (draft.user_id, draft.user_name) = caller;
        } else {
            draft.user_id = sub;
        }
    } else {
        draft.kind = kind_of(&service, &name);
        (draft.user_id, draft.user_name) = caller;
        if service == "signin.amazonaws.com" && name == "ConsoleLogin" {
            let result = response.text(&record, "ConsoleLogin")?;
            let result = result.ok_or_else(|| record.missing("responseElements.ConsoleLogin", "Success or Failure"))?;
            let succeeded = result == "Success";
            if succeeded { LOGIN_SUCCESS } else { LOGIN_FAIL }.clone_into(&mut draft.kind);
            draft.outcome = Some(outcome(succeeded));
        }
    }
    let mut details = Details::default();
    for (entry, value) in [("provider", PROVIDER), ("event_source", service.as_str()), ("event_name", name.as_str())] {
        details.put_text(entry, value);
    }
    if let Some(error) = error {
        details.put_text("error", &error);
    }
    details.take(
        &mut record,
        &[
            ("errorMessage", "error_message"),
            ("awsRegion", "region"),
            ("recipientAccountId", "account_id"),
            ("requestID", "request_id"),
            ("eventType", "event_type"),
            ("resources", "resources"),
        ],
    );
    for (entry, part) in [("request", request), ("additional", more)] {
        if let Some(json) = part.0 {
            details.put(entry, &JsonValue::Object(json));
        }
    }
    details.finish(&mut draft)?;
    Ok(draft)
}

/// A part of a record that is an object, as compact JSON; `None` if the record has no such part.
struct Part(Option<String>);

impl Part {
    fn take(record: &mut JsonObject, field: &str) -> Result<Self> {
        match record.take(field) {
            Some(JsonValue::Object(json)) => Ok(Self(Some(json))),
            // Some services write a text. It has no fields.
            None | Some(JsonValue::Text(_)) => Ok(Self(None)),
            Some(other) => Err(Error::invalid(field, format!("{} is not an object", other.shown()))),
        }
    }

    fn object(&self, record: &JsonObject) -> Result<Option<JsonObject>> {
        self.0.as_deref().map(|json| record.inner("part", json)).transpose()
    }

    fn has(&self, record: &JsonObject, field: &str) -> Result<bool> {
        Ok(self.object(record)?.is_some_and(|mut object| object.take(field).is_some()))
    }

    fn text(&self, record: &JsonObject, field: &str) -> Result<Option<String>> {
        match self.object(record)?.and_then(|mut object| object.take(field)) {
            Some(JsonValue::Text(text)) => Ok(Some(text).filter(|text| !text.is_empty())),
            _ => Ok(None),
        }
    }

    /// Whether the page of Cognito was answered with an error: `responseParameters.status`, which may be `200.0`.
    fn has_failed_status(&self, record: &JsonObject) -> Result<bool> {
        let Some(mut object) = self.object(record)? else { return Ok(false) };
        let Some(JsonValue::Object(inner)) = object.take("responseParameters") else { return Ok(false) };
        Ok(match object.inner("responseParameters", &inner)?.take("status") {
            Some(JsonValue::Number(status)) => status.starts_with(['4', '5']),
            _ => false,
        })
    }
}

/// The type of a call of Cognito.
///
/// A step of a login is a login only if it ended it: with tokens, or with an error of the user.
fn cognito(name: &str, succeeded: bool, record: &JsonObject, request: &Part, response: &Part) -> Result<String> {
    if let Some((_, kind)) = TYPES.iter().find(|(theirs, _)| *theirs == name) {
        return Ok((*kind).to_owned());
    }
    if LOGINS.contains(&name) {
        let flow = request.text(record, "authFlow")?;
        let renews = flow.is_some_and(|flow| flow.starts_with("REFRESH_TOKEN"));
        if !renews && !succeeded {
            return Ok(LOGIN_FAIL.to_owned());
        }
        if !renews && response.has(record, "authenticationResult")? {
            return Ok(LOGIN_SUCCESS.to_owned());
        }
    }
    Ok(kind_of(COGNITO, name))
}

/// The type of a call without a type of ours: `aws.<service>.<name>`, or `aws.call` if that is too long.
fn kind_of(service: &str, name: &str) -> String {
    let service = service.strip_suffix(".amazonaws.com").unwrap_or(service);
    let kind = format!("aws.{}.{}", words(service), words(name));
    if kind.len() > 64 { "aws.call".to_owned() } else { kind }
}

/// A name in lower case, its words separated by `_`: `RespondToAuthChallenge` is `respond_to_auth_challenge`.
fn words(name: &str) -> String {
    let mut out = String::new();
    let mut before_is_lower = false;
    for c in name.chars() {
        if c.is_ascii_alphanumeric() {
            if c.is_ascii_uppercase() && before_is_lower {
                out.push('_');
            }
            out.push(c.to_ascii_lowercase());
        } else if !out.ends_with('_') {
            out.push('_');
        }
        before_is_lower = c.is_ascii_lowercase() || c.is_ascii_digit();
    }
    out
}

/// Id and name of the caller of a service: the ARN, which names the account too.
fn caller(record: &mut JsonObject) -> Result<(Option<String>, Option<String>)> {
    let Some(mut identity) = record.object("userIdentity", "an object with the caller")? else {
        return Ok((None, None));
    };
    let name = text(&mut identity, "userName")?;
    let arn = text(&mut identity, "arn")?;
    let other = match arn {
        Some(arn) => Some(arn),
        None => match text(&mut identity, "principalId")? {
            Some(principal) => Some(principal),
            None => text(&mut identity, "invokedBy")?,
        },
    };
    Ok((other, name))
}
