//! The audience of a question: the tenants and the environment whose events it counts.
//!
//! A question takes one of the two types in this module, and only a [`Visibility`] makes them. So no question can count
//! events of a tenant that its caller may not see. The server makes the audience once, when it reads a request. Errors
//! name the fields of the published API.

use std::fmt;
use std::sync::Arc;

use trailkeeper_domain::id::{EnvId, TenantId};
use trailkeeper_domain::ports::Scopes;
use trailkeeper_domain::scope::Scope;
use trailkeeper_domain::visibility::Visibility;
use trailkeeper_domain::{Error, Result};

use super::FoldCache;
use crate::sheet::{CellKey, Facet};

/// The events that one answer counts together: those of everyone, of one tenant, or of one environment of a tenant. It
/// also holds the cache for the folds of their sheets.
#[derive(Clone)]
pub struct Audience {
    /// The visibility, narrowed to the counted tenant. It never includes the system tenant.
    visibility: Visibility,
    env: Option<EnvId>,
    folds: Option<Arc<FoldCache>>,
}

impl Audience {
    /// The visible events, narrowed to the given tenant and to the given environment of it. Without a tenant, the
    /// audience is everyone, or the only visible tenant.
    ///
    /// # Errors
    /// [`Error::NotFound`] for a tenant that the caller may not see. [`Error::Invalid`] for the system tenant, which no
    /// answer counts, and for an environment without its tenant.
    pub fn of(visibility: Visibility, tenant: Option<TenantId>, env: Option<EnvId>) -> Result<Self> {
        // The system tenant's id is the key of everyone's sheets, so it must never be used to read sheets.
        if tenant == Some(TenantId::SYSTEM) && visibility.tenant().is_none_or(|own| own == TenantId::SYSTEM) {
            return Err(Error::invalid(
                "tenant_id",
                format!(
                    "'{}' is the server's own trail, which no analytic answer counts; send a customer's id, or list the trail with GET /v1/events",
                    TenantId::SYSTEM
                ),
            ));
        }
        let visibility = visibility.narrow(tenant)?.narrow_to_customers();
        check_env(visibility.tenant().is_some(), env)?;
        Ok(Self { visibility, env, folds: None })
    }

    /// Adds a cache of folds. The cache must belong to the database that answers the question. Without a cache, each
    /// question reads and folds its sheets again, and the answers are the same.
    #[must_use]
    pub fn with_folds(mut self, folds: &Arc<FoldCache>) -> Self {
        self.folds = Some(Arc::clone(folds));
        self
    }

    /// The scope of the sheets that the question reads.
    pub fn scope(&self) -> Scope {
        Scope::of(self.tenant())
    }

    /// The visibility of the counted events, for a question that lists them.
    pub(crate) fn visibility(&self) -> Visibility {
        self.visibility
    }

    /// The counted tenant; `None` for everyone.
    pub fn tenant(&self) -> Option<TenantId> {
        self.visibility.tenant()
    }

    /// The counted environment; `None` for all environments.
    pub fn env(&self) -> Option<EnvId> {
        self.env
    }

    /// The same as [`Self::tenant`], for a question about records that have no environment.
    ///
    /// # Errors
    /// [`Error::Invalid`] if the audience is an environment.
    pub(crate) fn tenant_of_any_env(&self) -> Result<Option<TenantId>> {
        match self.env {
            None => Ok(self.tenant()),
            Some(_) => Err(Error::invalid("env_id", "does not apply: this answer knows no environments; leave it out")),
        }
    }

    /// The cell of the active users in a fold of [`Facet::ActiveAll`] for this audience.
    pub fn active_key(&self) -> CellKey {
        let of_env = |env: EnvId| CellKey::new(Facet::Active, u64::from(env.0));
        self.env.map_or(CellKey::single(Facet::ActiveAll), of_env)
    }

    /// The cache of folds, if the audience has one.
    pub(super) fn folds(&self) -> Option<&FoldCache> {
        self.folds.as_deref()
    }
}

impl fmt::Debug for Audience {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Audience").field("scope", &self.scope()).field("env", &self.env).finish_non_exhaustive()
    }
}

/// The tenants that an answer counts one by one, and the counted environment of each.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct EachTenant {
    /// Never of the system tenant.
    visibility: Visibility,
    /// The tenants, ascending and distinct; `None` for every tenant.
    tenants: Option<Vec<TenantId>>,
    env: Option<EnvId>,
}

impl EachTenant {
    /// The visible tenants, narrowed to the given tenants and to the given environment. [`TenantId::NONE`] stands for the
    /// events outside any tenant. The system tenant counts nothing.
    ///
    /// # Errors
    /// [`Error::NotFound`] for a tenant that the caller may not see. [`Error::Invalid`] for an environment without its
    /// tenant.
    pub fn of(visibility: Visibility, tenants: Option<&[TenantId]>, env: Option<EnvId>) -> Result<Self> {
        tenants.unwrap_or_default().iter().try_for_each(|tenant| visibility.check(*tenant))?;
        check_env(tenants.is_some(), env)?;
        let mut tenants = visibility.narrow_to_any(tenants);
        if let Some(tenants) = &mut tenants {
            tenants.retain(|tenant| *tenant != TenantId::SYSTEM);
        }
        Ok(Self { visibility: visibility.narrow_to_customers(), tenants, env })
    }

    /// One of the tenants, as an audience of its own: of the same environment.
    ///
    /// # Errors
    /// [`Error::NotFound`] for a tenant that may not be seen.
    pub(crate) fn audience(&self, tenant: TenantId) -> Result<Audience> {
        Ok(Audience { visibility: self.visibility.narrow(Some(tenant))?, env: self.env, folds: None })
    }

    /// The tenants, ascending and distinct; `None` for every tenant. An empty list counts nothing.
    pub fn tenants(&self) -> Option<&[TenantId]> {
        self.tenants.as_deref()
    }

    /// The counted environment of each tenant; `None` for all environments.
    pub fn env(&self) -> Option<EnvId> {
        self.env
    }

    /// The scopes of the sheets of these tenants, for a query.
    pub(crate) fn scopes(&self) -> Vec<Scopes> {
        match &self.tenants {
            None => vec![Scopes::EveryTenant],
            Some(tenants) => tenants.iter().map(|tenant| Scopes::One(Scope::Tenant(*tenant))).collect(),
        }
    }
}

fn check_env(has_tenant: bool, env: Option<EnvId>) -> Result<()> {
    if env.is_some() && !has_tenant {
        return Err(Error::invalid(
            "env_id",
            "needs tenant_id: environments are numbered inside their tenant; add tenant_id",
        ));
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use trailkeeper_testkit::visibility::{CUSTOMERS, EVERYTHING, of_tenant};
    use uuid::Uuid;

    use super::*;

    const OWN: TenantId = TenantId(Uuid::from_u128(1));
    const OTHER: TenantId = TenantId(Uuid::from_u128(2));

    fn field(error: &Error) -> Option<&str> {
        error.detail().unwrap().field.as_deref()
    }

    #[test]
    fn an_audience_is_a_scope_that_the_caller_may_see() {
        let (all, own) = (EVERYTHING, of_tenant(OWN));
        let scope = |visibility, tenant, env| Audience::of(visibility, tenant, env).map(|audience| audience.scope());
        let env = Some(EnvId(2));
        assert_eq!(scope(all, None, None).unwrap(), Scope::Everyone);
        assert_eq!(scope(CUSTOMERS, None, None).unwrap(), Scope::Everyone);
        assert_eq!(scope(all, Some(OTHER), env).unwrap(), Scope::Tenant(OTHER));
        assert_eq!(scope(own, None, env).unwrap(), Scope::Tenant(OWN));
        assert_eq!(scope(own, Some(OWN), None).unwrap(), Scope::Tenant(OWN));
        assert_eq!(scope(all, Some(TenantId::NONE), None).unwrap(), Scope::Tenant(TenantId::NONE));
        for hidden in [OTHER, TenantId::NONE, TenantId::SYSTEM] {
            assert_eq!(scope(own, Some(hidden), None).unwrap_err().detail().unwrap().code, "tenant_not_found");
        }
        assert_eq!(field(&scope(all, None, env).unwrap_err()), Some("env_id"));
        for visibility in [all, CUSTOMERS] {
            assert_eq!(field(&scope(visibility, Some(TenantId::SYSTEM), None).unwrap_err()), Some("tenant_id"));
        }
    }

    #[test]
    fn tenants_are_counted_one_by_one_as_far_as_they_are_visible() {
        let (all, own) = (EVERYTHING, of_tenant(OWN));
        let tenants = |visibility, asked| EachTenant::of(visibility, asked, None).unwrap().tenants;
        assert_eq!(tenants(all, None), None);
        assert_eq!(tenants(own, None), Some(vec![OWN]));
        assert_eq!(tenants(all, Some(&[OTHER, OWN, OTHER])), Some(vec![OWN, OTHER]));
        assert_eq!(tenants(all, Some(&[TenantId::SYSTEM])), Some(vec![]), "its key is everyone's in the sheets");
        assert_eq!(tenants(own, Some(&[OWN])), Some(vec![OWN]));
        let hidden = EachTenant::of(own, Some(&[OWN, OTHER]), None).unwrap_err();
        assert_eq!(hidden.detail().unwrap().code, "tenant_not_found");
        // The published contract asks for the tenant here, also where only one is visible.
        assert_eq!(field(&EachTenant::of(own, None, Some(EnvId(1))).unwrap_err()), Some("env_id"));
        assert!(EachTenant::of(own, Some(&[OWN]), Some(EnvId(1))).is_ok());
    }

    #[test]
    fn each_tenant_is_an_audience_as_far_as_it_is_visible() {
        let each = EachTenant::of(EVERYTHING, Some(&[OWN]), Some(EnvId(2))).unwrap();
        let audience = each.audience(OWN).unwrap();
        assert_eq!((audience.scope(), audience.env()), (Scope::Tenant(OWN), Some(EnvId(2))));
        let own = EachTenant::of(of_tenant(OWN), None, None).unwrap();
        assert!(own.audience(OWN).is_ok());
        for hidden in [OTHER, TenantId::SYSTEM] {
            assert_eq!(own.audience(hidden).unwrap_err().detail().unwrap().code, "tenant_not_found");
        }
        let all = EachTenant::of(EVERYTHING, None, None).unwrap();
        assert!(all.audience(TenantId::SYSTEM).is_err(), "its key is everyone's in the sheets");
    }
}
