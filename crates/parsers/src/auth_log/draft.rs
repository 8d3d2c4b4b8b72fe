//! The event that an entry of `auth.log` stands for.

use serde_json::{Map, json};
use trailkeeper_domain::event::{EventDraft, LOGIN_FAIL, LOGIN_SUCCESS, LOGOUT, Outcome, Target};
use trailkeeper_domain::text::cut;
use uuid::Uuid;

use crate::auth_log::entry::Entry;
use crate::auth_log::message::{Action, What};

/// The longest text in the metadata, in characters. The server cuts its messages anyway.
const MAX_TEXT: usize = 1_024;

/// One event of the entry, with the given id.
///
/// A name that the machine does not know is no user: it is the `user_name` of the event, so that guessing names does not
/// create users without end.
pub fn to_draft(entry: &Entry, id: Uuid) -> EventDraft {
    let Entry { at, host, pid, action, .. } = entry;
    let Action { what, user, is_invalid_user, method, source, port, key } = action;
    let mut metadata = Map::new();
    metadata.insert("provider".to_owned(), json!("sshd"));
    for (name, text) in [("method", Some(method)), ("key", key.as_ref())] {
        if let Some(text) = text.filter(|text| !text.is_empty()) {
            metadata.insert(name.to_owned(), json!(cut(text, MAX_TEXT)));
        }
    }
    for (name, number) in [("port", port.map(u32::from)), ("pid", *pid)] {
        if let Some(number) = number {
            metadata.insert(name.to_owned(), json!(number));
        }
    }
    if *is_invalid_user {
        metadata.insert("invalid_user".to_owned(), json!(true));
    }
    let (kind, outcome) = match what {
        What::Success => (LOGIN_SUCCESS, Outcome::Success),
        What::Failure => (LOGIN_FAIL, Outcome::Failure),
        What::Logout => (LOGOUT, Outcome::Success),
    };
    EventDraft {
        id: Some(id),
        occurred_at: Some(*at),
        user_id: user.clone().filter(|_| !is_invalid_user),
        user_name: user.clone(),
        kind: kind.to_owned(),
        outcome: Some(outcome),
        source: Some(source.clone()),
        target: Some(Target { kind: Some("host".to_owned()), id: Some(host.clone()), name: None }),
        metadata: Some(metadata.into()),
        ..EventDraft::default()
    }
}
