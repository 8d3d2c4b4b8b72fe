//! What each role may do, in one table.

use trailkeeper_domain::account::{Actor, Role};
use trailkeeper_domain::id::{AccountId, CredentialId, SessionId, TenantId};
use trailkeeper_domain::visibility::Visibility;
use trailkeeper_domain::{Error, Result};

/// What an operation asks for.
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
    /// Read the list of all user events with the server's own trail.
    ReadTrail,
    /// Manage accounts, tokens and keys.
    Administer,
}

impl Permission {
    /// All of them.
    pub const ALL: [Self; 8] = [
        Self::WriteEvents,
        Self::ReadEvents,
        Self::ReadAnalytics,
        Self::WriteAnalytics,
        Self::ReadDirectory,
        Self::WriteDirectory,
        Self::ReadTrail,
        Self::Administer,
    ];

    /// What it allows, as it stands in an error message.
    fn phrase(self) -> &'static str {
        match self {
            Self::WriteEvents => "send events",
            Self::ReadEvents => "read events",
            Self::ReadAnalytics => "read analytics",
            Self::WriteAnalytics => "report analytics",
            Self::ReadDirectory => "read tenants and users",
            Self::WriteDirectory => "change tenants and users",
            Self::ReadTrail => "read the trail of all user events",
            Self::Administer => "manage accounts and credentials",
        }
    }

    /// Whether the role has it.
    pub fn belongs_to(self, role: Role) -> bool {
        match role {
            Role::Admin => true,
            Role::Analyst => matches!(self, Self::ReadEvents | Self::ReadAnalytics | Self::ReadDirectory),
            Role::Auditor => matches!(self, Self::ReadEvents | Self::ReadDirectory),
            Role::Ingest => matches!(self, Self::WriteEvents),
        }
    }

    /// Whether a signing key may ever have it: what the clients that sign requests use, and no more.
    fn belongs_to_signing_keys(self) -> bool {
        matches!(self, Self::WriteEvents | Self::ReadEvents | Self::ReadAnalytics | Self::WriteAnalytics)
    }
}

/// By what a caller is known.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum PrincipalKind {
    /// A login.
    Account(AccountId),
    /// An API token.
    Token(CredentialId),
    /// A request signature. Narrower than its role.
    SigningKey(CredentialId),
}

/// A caller whose credential held.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Principal {
    /// By what it is known.
    pub kind: PrincipalKind,
    /// For people: the e-mail, or the credential's name.
    pub name: String,
    /// What it may do.
    pub role: Role,
    /// The one tenant it may see, where it is confined.
    pub tenant_id: Option<TenantId>,
    /// The login that this is about: present for people, absent for programs.
    pub session_id: Option<SessionId>,
}

impl Principal {
    /// The account of someone who logged in; `None` for programs. Nobody needs a permission for their own sessions
    /// and their own password: whoever has an account has these.
    pub fn account_id(&self) -> Option<AccountId> {
        match self.kind {
            PrincipalKind::Account(id) => Some(id),
            PrincipalKind::Token(_) | PrincipalKind::SigningKey(_) => None,
        }
    }

    /// [`Error::Forbidden`] unless it has the permission.
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
        // Whoever makes accounts can make one that sees every tenant: confinement would end there.
        if let (Permission::Administer, Some(tenant)) = (permission, self.tenant_id) {
            return Err(Error::forbidden(format!(
                "a credential scoped to the tenant '{tenant}' may not {phrase}; use one that is not tenant-scoped"
            )));
        }
        Ok(())
    }

    /// Which tenants' data it may see: its own where its credential is scoped to a tenant, else all of them.
    ///
    /// The system tenant holds the server's own audit trail, which shows the work of operators: only administrators
    /// and auditors see it, and only those who are not scoped to a tenant.
    #[expect(clippy::disallowed_methods, reason = "the one place that decides who sees which data")]
    pub fn visibility(&self) -> Visibility {
        match (self.tenant_id, self.role) {
            (Some(tenant), _) => Visibility::of_tenant(tenant),
            (None, Role::Admin | Role::Auditor) => Visibility::unrestricted(),
            (None, Role::Analyst | Role::Ingest) => Visibility::customers(),
        }
    }

    /// As whom it stands in the trail.
    pub fn actor(&self) -> Actor {
        let id = match self.kind {
            PrincipalKind::Account(id) => id.to_string(),
            PrincipalKind::Token(id) | PrincipalKind::SigningKey(id) => id.to_string(),
        };
        Actor { id, name: self.name.clone() }
    }
}
