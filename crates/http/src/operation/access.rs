//! Who may call an operation, and how its calls are counted and audited.

use trailkeeper_auth::Permission;
use trailkeeper_auth::audit::AuditCategory;

use crate::limits::Group;

/// What a caller must have or be.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Requirement {
    /// Nothing: no credential is needed.
    Nothing,
    /// A credential whose role has the permission.
    Permission {
        /// The permission.
        permission: Permission,
        /// Whether a credential of one tenant may have it.
        tenant_scoped: bool,
    },
    /// The login of a person, whatever its role.
    Person,
    /// The login of a person, or a credential that administers.
    PersonOrAdministrator,
}

/// What the type of a handler's first argument says about its operation.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct AccessSpec {
    /// What a caller must have or be.
    pub requirement: Requirement,
    /// The rate-limit group that calls count in; `None`: they are not counted.
    pub group: Option<Group>,
    /// The audit category; `None`: a successful call leaves no audit event of its own.
    pub category: Option<AuditCategory>,
}

/// An argument that says who may call: `Caller`, `SaasusCaller`, `Anyone`, `Everyone`.
pub trait Access {
    /// What it says.
    const SPEC: AccessSpec;
}
