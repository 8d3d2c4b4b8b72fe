//! Permissions, the table of the permissions of each role, and the principal that has them.

use trailkeeper_domain::account::{Actor, Role};
use trailkeeper_domain::id::{AccountId, CredentialId, SessionId, TenantId};
use trailkeeper_domain::visibility::Visibility;
use trailkeeper_domain::{Error, Result};

/// The permission that an operation requires.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Permission {
    /// Send events.
    WriteEvents,
    /// List and read events.
    ReadEvents,
    /// Ask analytic questions.
    ReadAnalytics,
    /// Report analytic figures.
    WriteAnalytics,
    /// Read tenants, users and memberships.
    ReadDirectory,
    /// Change tenants, users and memberships.
    WriteDirectory,
    /// Read the list of all events, the server's own audit trail included.
    ReadAuditTrail,
    /// Manage accounts, tokens and keys.
    Administer,
}

impl Permission {
    /// All permissions.
    pub const ALL: [Self; 8] = [
        Self::WriteEvents,
        Self::ReadEvents,
        Self::ReadAnalytics,
        Self::WriteAnalytics,
        Self::ReadDirectory,
        Self::WriteDirectory,
        Self::ReadAuditTrail,
        Self::Administer,
    ];

    /// The phrase for it in error messages.
    fn phrase(self) -> &'static str {
        match self {
            Self::WriteEvents => "send events",
            Self::ReadEvents => "read events",
            Self::ReadAnalytics => "read analytics",
            Self::WriteAnalytics => "report analytics",
            Self::ReadDirectory => "read tenants and users",
            Self::WriteDirectory => "change tenants and users",
            Self::ReadAuditTrail => "read the list of all events",
            Self::Administer => "manage accounts and credentials",
        }
    }

    /// Whether the role has this permission.
    pub fn belongs_to(self, role: Role) -> bool {
        match role {
            Role::Admin => true,
            Role::Analyst => matches!(self, Self::ReadEvents | Self::ReadAnalytics | Self::ReadDirectory),
            Role::Auditor => matches!(self, Self::ReadEvents | Self::ReadDirectory),
            Role::Ingest => matches!(self, Self::WriteEvents),
        }
    }

    /// Whether signing keys have this permission: only those that clients which sign requests need.
    fn belongs_to_signing_keys(self) -> bool {
        matches!(self, Self::WriteEvents | Self::ReadEvents | Self::ReadAnalytics | Self::WriteAnalytics)
    }
}

/// The kind of credential that a caller presented.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum PrincipalKind {
    /// The access token of a login: a person.
    Account(AccountId),
    /// An API token: a program.
    Token(CredentialId),
    /// A request signature: a program. Has fewer permissions than its role.
    SigningKey(CredentialId),
}

/// An authenticated caller.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Principal {
    /// The kind of its credential.
    pub kind: PrincipalKind,
    /// The account's e-mail address, or the name of the credential.
    pub name: String,
    /// Its role, which gives it its permissions.
    pub role: Role,
    /// The tenant to which it is scoped; `None`: all tenants.
    pub tenant_id: Option<TenantId>,
    /// The session of a person; absent for programs.
    pub session_id: Option<SessionId>,
}

/// The tenants whose events a forwarding stream sends: one, or all, the audit trail included. Only administrators who are not
/// tenant-scoped make streams, and they see all of it.
#[expect(clippy::disallowed_methods, reason = "the one place that makes it from the tenant of a stream")]
pub(crate) fn stream_visibility(tenant: Option<TenantId>) -> Visibility {
    tenant.map_or_else(Visibility::unrestricted, Visibility::of_tenant)
}

impl Principal {
    /// The account of a person; `None` for programs. Every account may end its own sessions and change its own password,
    /// so operations on these check this instead of a permission.
    pub fn account_id(&self) -> Option<AccountId> {
        match self.kind {
            PrincipalKind::Account(id) => Some(id),
            PrincipalKind::Token(_) | PrincipalKind::SigningKey(_) => None,
        }
    }

    /// Checks that the caller has the permission: [`Error::Forbidden`] otherwise, with the roles that have it.
    ///
    /// ```
    /// use trailkeeper_auth::{Permission, Principal, PrincipalKind};
    /// use trailkeeper_domain::account::Role;
    /// use trailkeeper_domain::id::{CredentialId, TenantId};
    ///
    /// let mut token = Principal {
    ///     kind: PrincipalKind::Token(CredentialId(uuid::Uuid::from_u128(1))),
    ///     name: "dashboard".to_owned(),
    ///     role: Role::Analyst,
    ///     tenant_id: None,
    ///     session_id: None,
    /// };
    /// assert!(token.require(Permission::ReadAnalytics).is_ok());
    /// let error = token.require(Permission::WriteEvents).unwrap_err();
    /// assert_eq!(
    ///     error.to_string(),
    ///     "the role 'analyst' may not send events; use a credential with the role admin or ingest"
    /// );
    ///
    /// token.role = Role::Admin;
    /// token.tenant_id = Some(TenantId(uuid::Uuid::from_u128(2)));
    /// assert!(token.require(Permission::Administer).is_err(), "a tenant-scoped credential cannot make others");
    /// ```
    pub fn require(&self, permission: Permission) -> Result<()> {
        let phrase = permission.phrase();
        if !permission.belongs_to(self.role) {
            let roles: Vec<_> =
                Role::ALL.into_iter().filter(|role| permission.belongs_to(*role)).map(Role::as_str).collect();
            return Err(Error::forbidden(format!(
                "the role '{}' may not {phrase}; use a credential with the role {}",
                self.role.as_str(),
                roles.join(" or ")
            )));
        }
        if matches!(self.kind, PrincipalKind::SigningKey(_)) && !permission.belongs_to_signing_keys() {
            return Err(Error::forbidden(format!(
                "a signing key may not {phrase}; use an API token or the access token of a login"
            )));
        }
        // An administrator can make an account that sees every tenant, so the scope would have no effect.
        if let (Permission::Administer, Some(tenant)) = (permission, self.tenant_id) {
            return Err(Error::forbidden(format!(
                "a credential scoped to the tenant '{tenant}' may not {phrase}; use one that is not tenant-scoped"
            )));
        }
        Ok(())
    }

    /// The tenants whose data the caller may see: its own if it is scoped to a tenant, else all of them.
    ///
    /// The system tenant holds the server's own audit trail, which shows the work of operators. Only administrators and
    /// auditors see it, unless they are scoped to a tenant.
    #[expect(clippy::disallowed_methods, reason = "the one place that makes it from a credential")]
    pub fn visibility(&self) -> Visibility {
        match (self.tenant_id, self.role) {
            (Some(tenant), _) => Visibility::of_tenant(tenant),
            (None, Role::Admin | Role::Auditor) => Visibility::unrestricted(),
            (None, Role::Analyst | Role::Ingest) => Visibility::customers(),
        }
    }

    /// The caller as the actor of audit events.
    pub fn actor(&self) -> Actor {
        let id = match self.kind {
            PrincipalKind::Account(id) => id.to_string(),
            PrincipalKind::Token(id) | PrincipalKind::SigningKey(id) => id.to_string(),
        };
        Actor { id, name: self.name.clone() }
    }
}
