//! The callers that may use an operation, and the counting and auditing of its calls.

use trailkeeper_auth::Permission;
use trailkeeper_auth::audit::AuditCategory;

use crate::limits::Group;

/// The requirement that a caller must meet.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Requirement {
    /// No credential is needed.
    Nothing,
    /// A credential whose role has the permission.
    Permission {
        /// The required permission.
        permission: Permission,
        /// Whether a tenant-scoped credential may have the permission.
        tenant_scoped: bool,
    },
    /// The login of a person, with any role.
    Person,
    /// The login of a person, or a credential with the permission to administer.
    PersonOrAdministrator,
}

/// The properties of an operation that the type of its handler's first argument defines.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct AccessSpec {
    /// The requirement that a caller must meet.
    pub requirement: Requirement,
    /// The rate-limit group of the operation; `None` if its calls are not counted.
    pub group: Option<Group>,
    /// The audit category; `None` if a successful call creates no audit event of its own.
    pub category: Option<AuditCategory>,
}

/// A handler's argument that defines the permitted callers: `Caller`, `SaasusCaller`, `Anyone`, `Everyone`.
pub trait Access {
    /// The requirement, the rate-limit group and the audit category.
    const SPEC: AccessSpec;
}
