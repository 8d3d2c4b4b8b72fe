//! Audited requests of people: reads, changes, reports, and refused ones.
//!
//! Only people: a program that reads events all day would bury everything else. The use of an API token or a signing key
//! shows in the events of its creation and in the token's `last_used_at`. The exception is the feed, of which each reading
//! is recorded once, at its start.

use serde_json::{Map, Value};
use trailkeeper_domain::event::{
    ANALYTICS_READ, ANALYTICS_REPORT, DIRECTORY_CHANGE, EVENTS_READ, Outcome, Target, USERS_READ,
};

use super::text::cleaned;
use super::{ACCESS_DENIED, AuditEvent, page};
use crate::permission::{Principal, PrincipalKind};

/// The kind of data that an operation shows or changes, if people may do so only with an audit event.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum AuditCategory {
    /// Reads of events.
    Events,
    /// Readings of the feed of events, by people and by programs.
    Feed,
    /// Reads of users' records, memberships and changes of attributes.
    Users,
    /// Reads of the activity of one user: a timeline, a profile, a behaviour history.
    Analytics,
    /// Changes of tenants, users and memberships. The event is stored in the transaction of the change; the event of a
    /// refusal after it.
    Directory,
    /// Reports of numbers of active users and of behaviour histories. Stored as for changes of the directory.
    Reports,
}

impl AuditCategory {
    /// The type of the audit event.
    pub fn kind(self) -> &'static str {
        match self {
            Self::Events | Self::Feed => EVENTS_READ,
            Self::Users => USERS_READ,
            Self::Analytics => ANALYTICS_READ,
            Self::Directory => DIRECTORY_CHANGE,
            Self::Reports => ANALYTICS_REPORT,
        }
    }

    /// Whether the operation changes data, so that its event is stored in the transaction of the change.
    pub fn is_change(self) -> bool {
        match self {
            Self::Events | Self::Feed | Self::Users | Self::Analytics => false,
            Self::Directory | Self::Reports => true,
        }
    }

    /// Whether answers to programs are recorded, too.
    pub fn includes_programs(self) -> bool {
        match self {
            Self::Feed => true,
            Self::Events | Self::Users | Self::Analytics | Self::Directory | Self::Reports => false,
        }
    }
}

/// The end of a request.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Ended {
    /// It was answered.
    Answered,
    /// It was refused: the caller may not do it, or may not know of the object, or there is none.
    Refused {
        /// The HTTP status of the response.
        status: u16,
    },
}

/// How many conditions an event keeps.
const MAX_CONDITIONS: usize = 16;
/// The longest value of a condition, in characters. A longer one ends in `…`.
const MAX_CONDITION: usize = 256;

/// A request of a person.
#[derive(Debug, Clone)]
pub struct Request {
    /// Method and path template as in the documents, for example `GET /v1/users/{user_id}`.
    pub operation: String,
    /// The audit category of the operation; `None` when it needs no audit event unless it is forbidden.
    pub category: Option<AuditCategory>,
    /// The object of the request, if it named exactly one.
    pub target: Option<Target>,
    /// The conditions that were sent, by the name of their parameter. The names must be those that the operation
    /// declares: other parameters may hold passwords and tokens.
    pub conditions: Vec<(String, String)>,
    /// The content of a report, by the names of its fields: checked, and small.
    pub reported: Vec<(&'static str, Value)>,
}

impl Request {
    /// The audit event of the request: of an operation with a category, and of every operation that was forbidden.
    /// `None` for other operations, and for requests of programs, unless the category includes them and it was answered: a
    /// program that is refused asks again and again.
    pub fn audit_event(self, caller: &Principal, ended: Ended) -> Option<AuditEvent> {
        let is_person = matches!(caller.kind, PrincipalKind::Account(_));
        let includes_programs = self.category.is_some_and(AuditCategory::includes_programs);
        let is_recorded = is_person || (includes_programs && ended == Ended::Answered);
        if !is_recorded {
            return None;
        }
        let kind = match (self.category, ended) {
            (Some(category), _) => category.kind(),
            (None, Ended::Refused { status: 403 }) => ACCESS_DENIED,
            (None, _) => return None,
        };
        let target = self.target.map(|target| Target { id: target.id.and_then(|id| kept("", &id)), ..target });
        let mut metadata = Map::from_iter([("operation".to_owned(), Value::from(self.operation))]);
        let filter: Map<String, Value> = by_name(self.conditions)
            .into_iter()
            .take(MAX_CONDITIONS)
            .filter_map(|(name, value)| kept(&name, &value).map(|value| (name, Value::from(value))))
            .collect();
        if !filter.is_empty() {
            metadata.insert("filter".to_owned(), filter.into());
        }
        if !self.reported.is_empty() {
            let reported = self.reported.into_iter().map(|(name, value)| (name.to_owned(), value));
            metadata.insert("reported".to_owned(), reported.collect::<Map<_, _>>().into());
        }
        let outcome = match ended {
            Ended::Answered => Outcome::Success,
            Ended::Refused { status } => {
                metadata.insert("status".to_owned(), status.into());
                Outcome::Failure
            }
        };
        Some(AuditEvent { kind, outcome, target, metadata })
    }
}

/// The conditions with one entry per name. The values of a list that was sent as repeated parameters are joined by
/// commas, so that no repetition pushes another condition out of the record.
fn by_name(conditions: Vec<(String, String)>) -> Vec<(String, String)> {
    let mut joined: Vec<(String, String)> = Vec::new();
    for (name, value) in conditions {
        if let Some((_, values)) = joined.iter_mut().find(|(known, _)| *known == name) {
            values.push(',');
            values.push_str(&value);
        } else {
            joined.push((name, value));
        }
    }
    joined
}

/// The value of a condition as an event keeps it: cleaned, bounded, and a page without the parts that may hold a secret.
fn kept(name: &str, value: &str) -> Option<String> {
    match name {
        "page" => cleaned(&page::without_secrets(value), MAX_CONDITION),
        _ => cleaned(value, MAX_CONDITION),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;
    use trailkeeper_domain::account::Role;
    use trailkeeper_domain::id::{AccountId, CredentialId};
    use uuid::Uuid;

    use super::*;

    fn principal(kind: PrincipalKind) -> Principal {
        Principal { kind, name: "jane@example.com".to_owned(), role: Role::Auditor, tenant_id: None, session_id: None }
    }

    fn jane() -> Principal {
        principal(PrincipalKind::Account(AccountId(Uuid::nil())))
    }

    fn request(category: Option<AuditCategory>, conditions: &[(&str, &str)]) -> Request {
        let conditions = conditions.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect();
        let operation = "GET /v1/events".to_owned();
        Request { operation, category, target: None, conditions, reported: Vec::new() }
    }

    #[test]
    fn repeated_values_are_joined_and_push_no_other_condition_out() {
        let mut conditions = vec![("type", "a,b"); MAX_CONDITIONS + 1];
        conditions.push(("user_id", "u1"));
        let event = request(Some(AuditCategory::Events), &conditions).audit_event(&jane(), Ended::Answered).unwrap();
        assert_eq!(event.metadata["filter"]["user_id"], "u1");
        let types = event.metadata["filter"]["type"].as_str().unwrap();
        assert_eq!(types, vec!["a,b"; MAX_CONDITIONS + 1].join(","));
    }

    #[test]
    fn the_event_of_a_read_has_its_conditions_and_its_outcome() {
        let asked = request(
            Some(AuditCategory::Events),
            &[("user_id", "u1"), ("page", "https://jane:secret@app.example/a?token=x#y")],
        );
        let event = asked.clone().audit_event(&jane(), Ended::Answered).unwrap();
        assert_eq!((event.kind, event.outcome), (EVENTS_READ, Outcome::Success));
        let filter = json!({"user_id": "u1", "page": "https://app.example/a"});
        assert_eq!(Value::from(event.metadata), json!({"operation": "GET /v1/events", "filter": filter}));
        let event = asked.audit_event(&jane(), Ended::Refused { status: 404 }).unwrap();
        assert_eq!((event.outcome, &event.metadata["status"]), (Outcome::Failure, &json!(404)));
    }

    #[test]
    fn the_event_of_a_report_has_its_content() {
        let reported = vec![("env_id", json!(3)), ("active_users", json!(u64::MAX))];
        let asked = Request { reported, ..request(Some(AuditCategory::Reports), &[]) };
        let event = asked.audit_event(&jane(), Ended::Answered).unwrap();
        assert_eq!((event.kind, event.outcome), (ANALYTICS_REPORT, Outcome::Success));
        assert_eq!(event.metadata["reported"], json!({"env_id": 3, "active_users": u64::MAX}));
    }

    #[test]
    fn the_size_of_an_event_is_bounded() {
        let (names, long): (Vec<_>, _) = ((0..100).map(|number| format!("p{number}")).collect(), "x".repeat(10_000));
        let conditions: Vec<(&str, &str)> = names.iter().map(|name| (name.as_str(), long.as_str())).collect();
        let event = request(Some(AuditCategory::Users), &conditions).audit_event(&jane(), Ended::Answered).unwrap();
        assert_eq!(event.metadata["filter"].as_object().unwrap().len(), MAX_CONDITIONS);
        assert!(Value::from(event.metadata).to_string().len() < 8 * 1024);
    }

    #[test]
    fn a_value_that_was_cut_is_marked() {
        let stored = |length: usize| kept("user_id", &"ä".repeat(length)).unwrap();
        assert_eq!(stored(256), "ä".repeat(256));
        assert_eq!(stored(257), format!("{}…", "ä".repeat(255)));
    }

    #[test]
    fn a_token_in_the_wrong_place_is_hidden() {
        for token in [format!("tk_{}", "a".repeat(49)), format!("Bearer rt_{}", "b".repeat(49)), "eyJ0.".repeat(10)] {
            let target = Target { kind: Some("user".to_owned()), id: Some(token.clone()), name: None };
            let asked = Request { target: Some(target), ..request(Some(AuditCategory::Users), &[("user_id", &token)]) };
            let event = asked.audit_event(&jane(), Ended::Answered).unwrap();
            assert!(!format!("{event:?}").contains(&token), "{event:?}");
        }
        assert_eq!(kept("user_id", "tk_42").as_deref(), Some("tk_42"), "an id may look alike");
    }

    #[test]
    fn programs_and_operations_without_a_category_leave_no_event() {
        for kind in [PrincipalKind::Token, PrincipalKind::SigningKey] {
            let program = principal(kind(CredentialId(Uuid::nil())));
            assert_eq!(request(Some(AuditCategory::Events), &[]).audit_event(&program, Ended::Answered), None);
            assert_eq!(request(None, &[]).audit_event(&program, Ended::Refused { status: 403 }), None);
        }
        assert_eq!(request(None, &[]).audit_event(&jane(), Ended::Answered), None);
        assert_eq!(request(None, &[]).audit_event(&jane(), Ended::Refused { status: 404 }), None);
    }

    #[test]
    fn readings_of_the_feed_by_programs_leave_an_event_if_they_are_answered() {
        let program = principal(PrincipalKind::Token(CredentialId(Uuid::nil())));
        let asked = request(Some(AuditCategory::Feed), &[("user_id", "u1")]);
        let event = asked.clone().audit_event(&program, Ended::Answered).unwrap();
        assert_eq!((event.kind, &event.metadata["filter"]), (EVENTS_READ, &json!({"user_id": "u1"})));
        assert_eq!(asked.clone().audit_event(&program, Ended::Refused { status: 403 }), None);
        assert!(asked.audit_event(&jane(), Ended::Refused { status: 403 }).is_some());
    }

    #[test]
    fn every_forbidden_operation_leaves_an_event() {
        let event = request(None, &[]).audit_event(&jane(), Ended::Refused { status: 403 }).unwrap();
        assert_eq!((event.kind, event.outcome), (ACCESS_DENIED, Outcome::Failure));
        let event =
            request(Some(AuditCategory::Users), &[]).audit_event(&jane(), Ended::Refused { status: 403 }).unwrap();
        assert_eq!((event.kind, event.outcome), (USERS_READ, Outcome::Failure));
    }
}
