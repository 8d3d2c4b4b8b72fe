//! What people read, changed and reported, and what they were refused, for the trail.
//!
//! People alone: a program that reads events all day would bury everything else. Who uses an API token or a signing
//! key is told by the events of its making, and `last_used_at` tells that it is used.

use serde_json::{Map, Value};
use trailkeeper_domain::event::{
    ANALYTICS_READ, ANALYTICS_REPORT, DIRECTORY_CHANGE, EVENTS_READ, Outcome, Target, USERS_READ,
};

use super::cleaned;
use super::{ACCESS_DENIED, AuditEvent};
use crate::permission::{Principal, PrincipalKind};

/// What an operation shows or changes that people may not without a trace.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Traced {
    /// Events.
    Events,
    /// Users' records, memberships, changes of attributes.
    Users,
    /// What one user did: a timeline, a profile, a behaviour history.
    Analytics,
    /// Tenants, users and memberships, as they are changed. Told in the transaction of the change, refusals after it.
    Directory,
    /// Numbers of active users and behaviour histories, as they are reported. Told as changes of the directory are.
    Reports,
}

impl Traced {
    /// The type of the event that tells of it.
    pub fn kind(self) -> &'static str {
        match self {
            Self::Events => EVENTS_READ,
            Self::Users => USERS_READ,
            Self::Analytics => ANALYTICS_READ,
            Self::Directory => DIRECTORY_CHANGE,
            Self::Reports => ANALYTICS_REPORT,
        }
    }

    /// Whether it changes something, and is told in the transaction of the change.
    pub fn is_change(self) -> bool {
        match self {
            Self::Events | Self::Users | Self::Analytics => false,
            Self::Directory | Self::Reports => true,
        }
    }
}

/// How a request ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Ended {
    /// It was answered.
    Answered,
    /// It was refused: the caller may not, or there is no such thing for it.
    Refused {
        /// The status of the answer.
        status: u16,
    },
}

/// How many conditions are kept.
const MAX_CONDITIONS: usize = 16;
/// How much of each is kept, in characters.
const MAX_CONDITION: usize = 256;

/// A request of a person.
#[derive(Debug, Clone)]
pub struct Request {
    /// What was asked: the method and the path as the documents write it, `GET /v1/users/{user_id}`.
    pub operation: String,
    /// What of it people may not read or change without a trace; `None`: nothing.
    pub traced: Option<Traced>,
    /// About what, where it was one thing.
    pub target: Option<Target>,
    /// The conditions that were sent, by name. Only the names that [`is_condition`] knows may be in it.
    pub conditions: Vec<(String, String)>,
    /// What was reported, by the names of its fields: read and judged, and small.
    pub reported: Vec<(&'static str, Value)>,
}

impl Request {
    /// What the trail tells of it: reads, changes, and whatever was forbidden. `None` where it tells nothing: `by`
    /// is a program, or there was neither.
    pub fn audit_event(self, by: &Principal, ended: Ended) -> Option<AuditEvent> {
        let PrincipalKind::Account(_) = by.kind else { return None };
        let kind = match (self.traced, ended) {
            (Some(traced), _) => traced.kind(),
            (None, Ended::Refused { status: 403 }) => ACCESS_DENIED,
            (None, _) => return None,
        };
        let target = self.target.map(|target| Target { id: target.id.and_then(|id| kept("", &id)), ..target });
        let mut metadata = Map::from_iter([("operation".to_owned(), Value::from(self.operation))]);
        let filter: Map<String, Value> = self
            .conditions
            .into_iter()
            .filter(|(name, _)| is_condition(name))
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

/// The parameters that say what was read. Whatever else stands in a query is not kept: people put passwords and
/// tokens into the strangest places.
const CONDITIONS: [&str; 24] = [
    "PageNumber",
    "RowsInPage",
    "compare",
    "cursor",
    "email",
    "end_date",
    "env_id",
    "event_response",
    "from",
    "limit",
    "login_event",
    "next_token",
    "outcome",
    "page",
    "region",
    "session_id",
    "source",
    "start_date",
    "tenant_id",
    "timezone",
    "to",
    "type",
    "user_id",
    "user_pool_id",
];

/// Whether the trail keeps the parameter with this name.
pub fn is_condition(name: &str) -> bool {
    CONDITIONS.contains(&name)
}

/// As much of a condition as is kept. A page without its query, which may hold what opens a door; of a token that
/// someone put into the wrong place, that it was one.
fn kept(name: &str, value: &str) -> Option<String> {
    let value = if name == "page" { value.split(['?', '#']).next().unwrap_or_default() } else { value };
    cleaned(value, MAX_CONDITION)
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

    fn request(traced: Option<Traced>, conditions: &[(&str, &str)]) -> Request {
        let conditions = conditions.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect();
        let operation = "GET /v1/events".to_owned();
        Request { operation, traced, target: None, conditions, reported: Vec::new() }
    }

    #[test]
    fn a_read_is_told_with_its_conditions_and_how_it_ended() {
        let asked =
            request(Some(Traced::Events), &[("user_id", "u1"), ("password", "hunter2"), ("page", "/a?token=x#y")]);
        let event = asked.clone().audit_event(&jane(), Ended::Answered).unwrap();
        assert_eq!((event.kind, event.outcome), (EVENTS_READ, Outcome::Success));
        let filter = json!({"user_id": "u1", "page": "/a"});
        assert_eq!(Value::from(event.metadata), json!({"operation": "GET /v1/events", "filter": filter}));
        let event = asked.audit_event(&jane(), Ended::Refused { status: 404 }).unwrap();
        assert_eq!((event.outcome, &event.metadata["status"]), (Outcome::Failure, &json!(404)));
    }

    #[test]
    fn a_report_is_told_with_what_it_said() {
        let reported = vec![("env_id", json!(3)), ("active_users", json!(u64::MAX))];
        let asked = Request { reported, ..request(Some(Traced::Reports), &[]) };
        let event = asked.audit_event(&jane(), Ended::Answered).unwrap();
        assert_eq!((event.kind, event.outcome), (ANALYTICS_REPORT, Outcome::Success));
        assert_eq!(event.metadata["reported"], json!({"env_id": 3, "active_users": u64::MAX}));
    }

    #[test]
    fn what_is_kept_is_bounded() {
        let long = "x".repeat(10_000);
        let names: Vec<(&str, &str)> = CONDITIONS.iter().map(|name| (*name, long.as_str())).collect();
        let event = request(Some(Traced::Users), &names).audit_event(&jane(), Ended::Answered).unwrap();
        assert!(Value::from(event.metadata).to_string().len() < 8 * 1024);
    }

    #[test]
    fn a_token_in_the_wrong_place_is_hidden() {
        for token in [format!("tk_{}", "a".repeat(49)), format!("Bearer rt_{}", "b".repeat(49)), "eyJ0.".repeat(10)] {
            let target = Target { kind: Some("user".to_owned()), id: Some(token.clone()), name: None };
            let asked = Request { target: Some(target), ..request(Some(Traced::Users), &[("user_id", &token)]) };
            let event = asked.audit_event(&jane(), Ended::Answered).unwrap();
            assert!(!format!("{event:?}").contains(&token), "{event:?}");
        }
        assert_eq!(kept("user_id", "tk_42").as_deref(), Some("tk_42"), "an id may look alike");
    }

    #[test]
    fn programs_and_what_shows_nothing_leave_no_event() {
        for kind in [PrincipalKind::Token, PrincipalKind::SigningKey] {
            let program = principal(kind(CredentialId(Uuid::nil())));
            assert_eq!(request(Some(Traced::Events), &[]).audit_event(&program, Ended::Answered), None);
            assert_eq!(request(None, &[]).audit_event(&program, Ended::Refused { status: 403 }), None);
        }
        assert_eq!(request(None, &[]).audit_event(&jane(), Ended::Answered), None);
        assert_eq!(request(None, &[]).audit_event(&jane(), Ended::Refused { status: 404 }), None);
    }

    #[test]
    fn what_is_forbidden_is_told() {
        let event = request(None, &[]).audit_event(&jane(), Ended::Refused { status: 403 }).unwrap();
        assert_eq!((event.kind, event.outcome), (ACCESS_DENIED, Outcome::Failure));
        let event = request(Some(Traced::Users), &[]).audit_event(&jane(), Ended::Refused { status: 403 }).unwrap();
        assert_eq!((event.kind, event.outcome), (USERS_READ, Outcome::Failure));
    }
}
