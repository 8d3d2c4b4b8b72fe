//! One operation, and what everyone should get of it.

use serde_json::Value;
use trailkeeper_domain::account::Role;

use super::world::{MARK, Things};
use crate::support::{ACME, Caller, TestResponse};

pub const READERS: &[Role] = &[Role::Admin, Role::Analyst, Role::Auditor];
pub const ANALYSTS: &[Role] = &[Role::Admin, Role::Analyst];
pub const RECORDERS: &[Role] = &[Role::Admin, Role::Ingest];
pub const ADMINS: &[Role] = &[Role::Admin];

/// Whom an operation serves.
#[derive(Clone, Copy)]
pub enum Allowed {
    /// Without a credential too.
    Everybody,
    /// Credentials of any kind with these roles.
    Roles(&'static [Role]),
    /// Logins of any role; programs are refused.
    People,
    /// Logins of any role, and programs that administer: each sees what it may.
    PeopleForThemselves,
    /// What is someone else's: for those who administer, unconfined. To other people it does not exist.
    PeopleNotForOthers,
}

/// A credential of a program, or of a person.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// An API token.
    Program,
    /// A login.
    Person,
}

impl Kind {
    pub const ALL: [Self; 2] = [Self::Program, Self::Person];
}

/// What comes back.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Outcome {
    /// 2xx.
    Done,
    /// 403.
    Forbidden,
    /// 404.
    NotFound,
    /// 2xx, and nothing of the tenant [`ACME`] in it.
    Nothing,
    /// Whatever the operation answers without looking at credentials: not 403.
    Public,
}

impl Outcome {
    #[track_caller]
    pub fn check(self, answer: &TestResponse, path: &str, who: &str) {
        let done = (200..300).contains(&answer.status);
        let text = answer.text();
        match self {
            Self::Done => assert!(done, "{who}: {} {text}", answer.status),
            Self::Forbidden => assert_eq!(answer.status, 403, "{who}: {text}"),
            Self::NotFound => assert_eq!(answer.status, 404, "{who}: {text}"),
            Self::Nothing => {
                assert!(done, "{who}: {} {text}", answer.status);
                assert!(!text.contains(ACME), "{who}: {text}");
                // An answer about one user says whom it is about.
                assert!(path.contains("/u1/") || !text.contains("u1"), "{who}: {text}");
            }
            Self::Public => assert_ne!(answer.status, 403, "{who}: {text}"),
        }
        if matches!(self, Self::Forbidden | Self::NotFound | Self::Nothing) {
            assert!(!text.contains(MARK), "{who}: {text}");
        }
    }
}

/// One operation of one document.
pub struct Row {
    pub operation: &'static str,
    pub method: &'static str,
    pub path: fn(&Things) -> String,
    pub body: Option<fn(&Things) -> Value>,
    pub who: Allowed,
    /// What a credential confined to [`ACME`] gets, whose role may; the request is about [`ACME`].
    pub own: Outcome,
    /// What a credential confined to another tenant gets, whose role may.
    pub other: Outcome,
    /// Whether the caller's login is over after it.
    pub ends_the_caller: bool,
}

/// A row of an operation without a body.
pub fn row(
    operation: &'static str,
    (method, path): (&'static str, fn(&Things) -> String),
    who: Allowed,
    [own, other]: [Outcome; 2],
) -> Row {
    Row { operation, method, path, body: None, who, own, other, ends_the_caller: false }
}

impl Row {
    /// With a body.
    pub fn with(self, body: fn(&Things) -> Value) -> Self {
        Self { body: Some(body), ..self }
    }

    /// The caller cannot go on after it.
    pub fn ending_the_caller(self) -> Self {
        Self { ends_the_caller: true, ..self }
    }

    pub fn sent_by(&self, caller: &Caller<'_>, things: &Things) -> TestResponse {
        let call = caller.call(self.method, &(self.path)(things));
        match self.body {
            Some(body) => call.json(&body(things)).send(),
            None => call.send(),
        }
    }

    /// What an unconfined credential gets.
    pub fn expected(&self, role: Role, kind: Kind) -> Outcome {
        match self.who {
            Allowed::Everybody => Outcome::Public,
            Allowed::Roles(roles) if roles.contains(&role) => Outcome::Done,
            Allowed::People | Allowed::PeopleForThemselves if kind == Kind::Person => Outcome::Done,
            Allowed::PeopleForThemselves | Allowed::PeopleNotForOthers if role == Role::Admin => Outcome::Done,
            Allowed::PeopleNotForOthers if kind == Kind::Person => Outcome::NotFound,
            Allowed::Roles(_) | Allowed::People | Allowed::PeopleForThemselves | Allowed::PeopleNotForOthers => {
                Outcome::Forbidden
            }
        }
    }

    /// What a confined credential gets; the request is about [`ACME`], which is its `own` tenant or not.
    pub fn expected_confined(&self, role: Role, kind: Kind, own: bool) -> Outcome {
        match self.who {
            // Confined administrators administer nothing: they are people or programs like others.
            Allowed::PeopleForThemselves | Allowed::PeopleNotForOthers => self.expected(Role::Analyst, kind),
            _ if self.expected(role, kind) == Outcome::Done => {
                if own {
                    self.own
                } else {
                    self.other
                }
            }
            _ => self.expected(role, kind),
        }
    }
}
