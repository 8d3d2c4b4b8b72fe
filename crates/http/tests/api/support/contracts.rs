//! Helpers for tests of the published contracts.

use serde_json::{Value, json};
use trailkeeper_domain::time;

use crate::support::{Caller, TestResponse};

/// UNIX seconds of a time.
pub fn unix(at: &str) -> i64 {
    time::parse_rfc3339("at", at).unwrap().timestamp()
}

/// Asserts an error of the SaaSus or Cripsa contract. Its message begins with `start`, the field at fault.
#[track_caller]
pub fn refused(answer: &TestResponse, status: u16, kind: &str, start: &str) {
    assert_eq!(answer.status, status, "{}", answer.text());
    assert_eq!(answer.header("content-type"), Some("application/json"));
    let error = answer.json();
    assert_eq!(error.as_object().unwrap().len(), 2, "{error}");
    assert_eq!(error["type"], kind, "{error}");
    let message = error["message"].as_str().unwrap();
    assert!(message.starts_with(start), "{start} … {message}");
}

/// Asserts an error of the Octopai contract. Its message begins with `start`.
#[track_caller]
pub fn octopai_refused(answer: &TestResponse, status: u16, start: &str) {
    assert_eq!(answer.status, status, "{}", answer.text());
    let error = answer.json();
    assert_eq!(error.as_object().unwrap().len(), 1, "{error}");
    let message = error["error"].as_str().unwrap();
    assert!(message.starts_with(start), "{start} … {message}");
}

/// Asserts a 200 without a body. Its content type must not be JSON.
#[track_caller]
pub fn empty_200(answer: &TestResponse) {
    assert_eq!((answer.status, answer.text().as_str()), (200, ""));
    assert_eq!(answer.header("content-type"), None);
}

/// Records events of these kinds: user, type, time, and more fields.
pub fn record(caller: &Caller<'_>, events: &[(&str, &str, &str, Value)]) {
    let events: Vec<Value> = events
        .iter()
        .map(|(user, kind, at, more)| {
            let mut event = json!({"user_id": user, "type": kind, "occurred_at": at});
            event.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
            event
        })
        .collect();
    let answer = caller.record(&json!(events));
    assert_eq!(answer["stored"], events.len(), "{answer}");
}
