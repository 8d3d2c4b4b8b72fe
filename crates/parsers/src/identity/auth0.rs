//! Logs of Auth0.

use trailkeeper_domain::event::{EventDraft, LOGIN_FAIL, LOGIN_SUCCESS, LOGOUT, Outcome, Target};
use trailkeeper_domain::json::{A_TIME, JsonObject};
use trailkeeper_domain::text::shown;
use trailkeeper_domain::{Error, Result, time};

use crate::derived_id::of_provider;
use crate::details::{Details, text};

const PROVIDER: &str = "auth0";

/// Codes that have one of our types, and their outcome.
const TYPES: [(&str, &str, Outcome); 16] = [
    ("s", LOGIN_SUCCESS, Outcome::Success),
    ("sens", LOGIN_SUCCESS, Outcome::Success),
    ("f", LOGIN_FAIL, Outcome::Failure),
    ("fc", LOGIN_FAIL, Outcome::Failure),
    ("fens", LOGIN_FAIL, Outcome::Failure),
    ("fp", LOGIN_FAIL, Outcome::Failure),
    ("fu", LOGIN_FAIL, Outcome::Failure),
    ("slo", LOGOUT, Outcome::Success),
    ("flo", LOGOUT, Outcome::Failure),
    ("ss", "sign_up", Outcome::Success),
    ("fs", "sign_up", Outcome::Failure),
    ("scp", "password_change", Outcome::Success),
    ("fcp", "password_change", Outcome::Failure),
    ("scpr", "forgot_password", Outcome::Success),
    ("fcpr", "forgot_password", Outcome::Failure),
    ("svr", "resend_code", Outcome::Success),
];

/// Other codes of successes. A code that is in none of the lists has an unknown outcome.
const SUCCESSES: [&str; 26] = [
    "du",
    "gd_auth_succeed",
    "gd_enrollment_complete",
    "gd_unenroll",
    "mgmt_api_read",
    "sapi",
    "sce",
    "scoa",
    "scpn",
    "scu",
    "sd",
    "sdu",
    "seacft",
    "seccft",
    "sede",
    "seoobft",
    "seotpft",
    "sepft",
    "sercft",
    "sertft",
    "si",
    "srrt",
    "ssa",
    "sui",
    "sv",
    "sepotpft",
];

/// Other codes of failures.
const FAILURES: [&str; 34] = [
    "api_limit",
    "fapi",
    "fce",
    "fco",
    "fcoa",
    "fcpn",
    "fcpro",
    "fcu",
    "fd",
    "fdeac",
    "fdeaz",
    "fdecc",
    "fdu",
    "feacft",
    "feccft",
    "fede",
    "feoobft",
    "feotpft",
    "fepft",
    "fepotpft",
    "fercft",
    "fertft",
    "fi",
    "fn",
    "fsa",
    "fui",
    "fv",
    "fvr",
    "gd_auth_failed",
    "limit_mu",
    "limit_ui",
    "limit_wc",
    "pwd_leak",
    "signup_pwd_leak",
];

/// The event of a log entry.
pub fn draft(bytes: &[u8]) -> Result<EventDraft> {
    let mut record = JsonObject::parse("a log entry of Auth0", bytes)?;
    // Log streams put the entry into an envelope.
    if let Some(entry) = record.object("data", "the log entry")? {
        record = entry;
    }
    let id = match text(&mut record, "log_id")? {
        Some(id) => id,
        None => text(&mut record, "_id")?.ok_or_else(|| record.missing("log_id", "the id of the log entry"))?,
    };
    let code = record.required("type", "the code of the log entry, for example s", JsonObject::text)?;
    let (kind, outcome) = kind_of(&code)?;
    let mut draft = EventDraft {
        id: Some(of_provider(PROVIDER, &id)),
        occurred_at: Some(record.required_parsed("date", A_TIME, time::parse_rfc3339)?),
        user_id: text(&mut record, "user_id")?,
        user_name: text(&mut record, "user_name")?,
        source: text(&mut record, "ip")?,
        user_agent: text(&mut record, "user_agent")?,
        kind,
        outcome: Some(outcome),
        ..EventDraft::default()
    };
    let mut details = Details::default();
    for (name, value) in [("provider", PROVIDER), ("type", code.as_str()), ("log_id", id.as_str())] {
        details.put_text(name, value);
    }
    if let Some(mut inner) = record.object("details", "an object")? {
        draft.session_id = text(&mut inner, "session_id")?;
        if let Some(mut request) = inner.object("request", "the request to the API")? {
            let path = text(&mut request, "path")?;
            draft.target = path.map(|path| Target { kind: Some("path".to_owned()), id: Some(path), name: None });
            details.take(&mut request, &[("method", "method")]);
        }
    }
    details.take(
        &mut record,
        &[
            ("description", "description"),
            ("client_id", "client_id"),
            ("client_name", "client_name"),
            ("connection", "connection"),
            ("connection_id", "connection_id"),
            ("strategy", "strategy"),
            ("strategy_type", "strategy_type"),
            ("organization_id", "organization_id"),
            ("organization_name", "organization_name"),
            ("hostname", "hostname"),
            ("audience", "audience"),
            ("scope", "scope"),
            ("location_info", "location_info"),
            ("security_context", "security_context"),
            ("tenant_name", "tenant_name"),
        ],
    );
    details.finish(&mut draft)?;
    Ok(draft)
}

fn kind_of(code: &str) -> Result<(String, Outcome)> {
    if let Some((_, kind, outcome)) = TYPES.iter().find(|(theirs, _, _)| *theirs == code) {
        return Ok(((*kind).to_owned(), *outcome));
    }
    let fits = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'_';
    if code.is_empty() || code.len() > 58 || !code.bytes().all(fits) {
        return Err(Error::invalid(
            "type",
            format!("'{}' is no code of Auth0: up to 58 of a-z, 0-9 and '_', for example s", shown(code)),
        ));
    }
    let outcome = if SUCCESSES.contains(&code) || code.ends_with("_succeeded") {
        Outcome::Success
    } else if FAILURES.contains(&code) || code.ends_with("_failed") {
        Outcome::Failure
    } else {
        Outcome::Unknown
    };
    Ok((format!("auth0.{code}"), outcome))
}
