//! One operation, and the expected answers for each kind of caller.

use trailkeeper_domain::account::Role;
use trailkeeper_http::OperationInfo;

use super::rows;
use super::world::{MARK, Things};
use crate::support::{ACME, Caller, TestResponse};

pub const READERS: &[Role] = &[Role::Admin, Role::Analyst, Role::Auditor];
pub const ANALYSTS: &[Role] = &[Role::Admin, Role::Analyst];
pub const RECORDERS: &[Role] = &[Role::Admin, Role::Ingest];
pub const ADMINS: &[Role] = &[Role::Admin];

/// The callers that an operation serves.
#[derive(Clone, Copy)]
pub enum Allowed {
    /// Everybody, even without a credential.
    Everybody,
    /// Credentials of any kind with these roles.
    Roles(&'static [Role]),
    /// Logins of any role; programs are rejected.
    People,
    /// Logins of any role, and programs of administrators: each gets the resources that it may read.
    PeopleForThemselves,
    /// A resource of another account: for administrators without a tenant scope. For other people it does not exist.
    PeopleNotForOthers,
}

/// The kind of a credential.
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

/// The expected answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Outcome {
    /// 2xx.
    Done,
    /// 403.
    Forbidden,
    /// 404.
    NotFound,
    /// 2xx, without data of the tenant [`ACME`].
    Nothing,
    /// The operation does not check credentials: any status but 403.
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
                // An answer about one user repeats the user's id.
                assert!(path.contains("/u1/") || !text.contains("u1"), "{who}: {text}");
            }
            Self::Public => assert_ne!(answer.status, 403, "{who}: {text}"),
        }
        if matches!(self, Self::Forbidden | Self::NotFound | Self::Nothing) {
            assert!(!text.contains(MARK), "{who}: {text}");
        }
    }
}

/// One request of the table: an operation with values for its parameters.
pub struct Row {
    pub info: OperationInfo,
    pub operation: &'static str,
    pub method: String,
    pub who: Allowed,
    /// The answer to a credential scoped to [`ACME`] with an allowed role; the request is about [`ACME`].
    pub own: Outcome,
    /// The answer to a credential scoped to another tenant with an allowed role.
    pub other: Outcome,
    /// Whether the request ends the caller's session.
    pub ends_the_caller: bool,
    /// Whether the query names [`ACME`].
    pub names_tenant: bool,
}

impl Row {
    /// The path with its query.
    pub fn path(&self, things: &Things) -> String {
        rows::path_of(self, things)
    }

    pub fn sent_by(&self, caller: &Caller<'_>, things: &Things) -> TestResponse {
        let call = caller.call(&self.method, &self.path(things));
        match rows::body_of(self, things) {
            Some(body) => call.json(&body).send(),
            None => call.send(),
        }
    }

    /// The answer to a credential without a tenant scope.
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

    /// The answer to a tenant-scoped credential; the request is about [`ACME`], which is its `own` tenant or not.
    pub fn expected_tenant_scoped(&self, role: Role, kind: Kind, own: bool) -> Outcome {
        match self.who {
            // Tenant-scoped administrators manage nothing: they are like other people or programs.
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
