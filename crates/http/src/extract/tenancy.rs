//! Tenant confinement: what a confined credential may name, and what it sees without naming anything.

use trailkeeper_auth::Principal;
use trailkeeper_domain::account::Role;
use trailkeeper_domain::id::TenantId;
use trailkeeper_domain::{Error, Result};

/// The tenant to which an answer is narrowed: the credential's own, or the one that was asked for.
///
/// Another tenant than the credential's own does not exist for it (404): whether it exists elsewhere
/// is not its business. Nor does the system tenant for those who may not read the server's own trail.
pub fn narrowed(principal: &Principal, asked: Option<TenantId>) -> Result<Option<TenantId>> {
    match (principal.tenant_id, asked) {
        (Some(own), Some(asked)) if own != asked => Err(unknown(asked)),
        (_, Some(TenantId::SYSTEM)) if customers_only(principal) => Err(unknown(TenantId::SYSTEM)),
        (own, asked) => Ok(own.or(asked)),
    }
}

/// Whether the server's own trail, the system tenant, is left out of what a caller sees: it tells what operators
/// do, which is for those who administer and those who audit them.
pub fn customers_only(principal: &Principal) -> bool {
    match principal.role {
        Role::Admin | Role::Auditor => principal.tenant_id.is_some(),
        Role::Analyst | Role::Ingest => true,
    }
}

/// Checks that a caller may know of `tenant`.
pub fn visible(principal: &Principal, tenant: TenantId) -> Result<()> {
    narrowed(principal, Some(tenant)).map(|_| ())
}

/// Checks that a caller is confined to no tenant: for what concerns everyone.
pub fn not_tenant_scoped(principal: &Principal) -> Result<()> {
    match principal.tenant_id {
        None => Ok(()),
        Some(_) => Err(Error::forbidden(
            "this concerns all tenants, and your credential is scoped to one; use one that is not",
        )),
    }
}

fn unknown(tenant: TenantId) -> Error {
    Error::not_found("tenant_not_found", format!("there is no tenant '{tenant}'"))
}
