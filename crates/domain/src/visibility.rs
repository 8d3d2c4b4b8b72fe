//! The tenants whose data a caller may see.
//!
//! The crate `auth` decides this once, from the role and the tenant of a caller's credential. Lists and analytic
//! questions take the decision as a [`Visibility`], so that none of them can run without it.

use crate::error::{Error, Result};
use crate::id::TenantId;

/// The tenants whose data a caller may see: all, all but the system tenant, or exactly one.
///
/// A server takes it from `Principal::visibility` of the crate `auth`. A program that embeds Trailkeeper and decides
/// itself who may see which data makes one with [`unrestricted`](Self::unrestricted), [`customers`](Self::customers)
/// or [`of_tenant`](Self::of_tenant). It can only be narrowed, never widened.
///
/// ```
/// use trailkeeper_domain::id::TenantId;
/// use trailkeeper_domain::visibility::Visibility;
///
/// let (own, other) = (TenantId(uuid::Uuid::from_u128(1)), TenantId(uuid::Uuid::from_u128(2)));
/// let customer = Visibility::of_tenant(own);
/// assert_eq!(customer.narrow(None)?.tenant(), Some(own));
/// assert!(customer.narrow(Some(other)).is_err());
/// # Ok::<(), trailkeeper_domain::Error>(())
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Visibility {
    /// The only visible tenant, if there is only one.
    tenant: Option<TenantId>,
    /// Beside a tenant: whether that tenant is the system tenant and visible, so that equal extents are equal values.
    system_tenant: bool,
}

impl Visibility {
    /// All tenants, the system tenant (the server's own audit trail) included: for the embedding program itself and
    /// for administrators.
    pub const fn unrestricted() -> Self {
        Self { tenant: None, system_tenant: true }
    }

    /// All tenants, and events outside any tenant, but not the system tenant.
    pub const fn customers() -> Self {
        Self { tenant: None, system_tenant: false }
    }

    /// One tenant and nothing else. [`TenantId::NONE`] stands for the events outside any tenant.
    pub fn of_tenant(tenant: TenantId) -> Self {
        Self { tenant: Some(tenant), system_tenant: tenant == TenantId::SYSTEM }
    }

    /// The only visible tenant; `None` when more than one tenant is visible.
    pub const fn tenant(self) -> Option<TenantId> {
        self.tenant
    }

    /// Whether data of `tenant` may be seen.
    pub fn sees(self, tenant: TenantId) -> bool {
        self.tenant.is_none_or(|only| only == tenant) && (self.system_tenant || tenant != TenantId::SYSTEM)
    }

    /// Checks that data of `tenant` may be seen.
    ///
    /// [`Error::NotFound`] with the code `tenant_not_found` otherwise: the same answer as for a tenant that does not
    /// exist, because the caller may not learn whether it exists.
    pub fn check(self, tenant: TenantId) -> Result<()> {
        if self.sees(tenant) {
            return Ok(());
        }
        Err(Error::not_found("tenant_not_found", format!("there is no tenant '{tenant}'")))
    }

    /// Checks that the caller is restricted to no tenant, for operations that concern all of them:
    /// [`Error::Forbidden`] otherwise.
    pub fn check_all_tenants(self) -> Result<()> {
        match self.tenant {
            None => Ok(()),
            Some(_) => Err(Error::forbidden(
                "this concerns all tenants, and your credential is scoped to one; use one that is not",
            )),
        }
    }

    /// Narrows to the tenant that a request names; unchanged when it names none. Errors as [`check`](Self::check).
    pub fn narrow(self, asked: Option<TenantId>) -> Result<Self> {
        let Some(tenant) = asked else { return Ok(self) };
        self.check(tenant)?;
        Ok(Self { tenant: Some(tenant), system_tenant: tenant == TenantId::SYSTEM })
    }

    /// Narrows to customers' data: the same without the system tenant.
    #[must_use]
    pub const fn narrow_to_customers(self) -> Self {
        Self { tenant: self.tenant, system_tenant: false }
    }

    /// Narrows to the tenants that a request lists, sorted and without duplicates; those that may not be seen are
    /// left out. `None` when neither the request nor the credential restricts the tenants; an empty list when
    /// nothing of what the request lists may be seen, which then counts as nothing.
    pub fn narrow_to_any(self, asked: Option<&[TenantId]>) -> Option<Vec<TenantId>> {
        let Some(asked) = asked else { return self.tenant.map(|only| vec![only]) };
        let mut tenants: Vec<_> = asked.iter().copied().filter(|tenant| self.sees(*tenant)).collect();
        tenants.sort_unstable();
        tenants.dedup();
        Some(tenants)
    }
}

#[cfg(test)]
#[expect(clippy::disallowed_methods, reason = "the tests of what these constructors make")]
mod tests {
    use uuid::Uuid;

    use super::*;

    const OWN: TenantId = TenantId(Uuid::from_u128(1));
    const OTHER: TenantId = TenantId(Uuid::from_u128(2));

    const EVERYTHING: Visibility = Visibility::unrestricted();
    const CUSTOMERS: Visibility = Visibility::customers();
    const TENANT: Visibility = Visibility { tenant: Some(OWN), system_tenant: false };

    #[test]
    fn each_extent_sees_exactly_its_tenants() {
        let table = [
            (EVERYTHING, [true, true, true, true]),
            (CUSTOMERS, [true, true, true, false]),
            (Visibility::of_tenant(OWN), [false, true, false, false]),
            (Visibility::of_tenant(TenantId::NONE), [true, false, false, false]),
            (Visibility::of_tenant(TenantId::SYSTEM), [false, false, false, true]),
            (Visibility::of_tenant(TenantId::SYSTEM).narrow_to_customers(), [false, false, false, false]),
        ];
        for (visibility, expected) in table {
            let tenants = [TenantId::NONE, OWN, OTHER, TenantId::SYSTEM];
            assert_eq!(tenants.map(|tenant| visibility.sees(tenant)), expected, "{visibility:?}");
            assert_eq!(tenants.map(|tenant| visibility.check(tenant).is_ok()), expected, "{visibility:?}");
            assert_eq!(tenants.map(|tenant| visibility.narrow(Some(tenant)).is_ok()), expected, "{visibility:?}");
        }
    }

    #[test]
    fn a_request_narrows_to_a_visible_tenant() {
        for visibility in [EVERYTHING, CUSTOMERS, TENANT] {
            assert_eq!(visibility.narrow(Some(OWN)).unwrap(), TENANT);
            assert_eq!(visibility.narrow(None).unwrap(), visibility);
        }
        assert_eq!(EVERYTHING.narrow(Some(TenantId::SYSTEM)).unwrap().tenant(), Some(TenantId::SYSTEM));
        assert!(EVERYTHING.narrow(Some(OWN)).unwrap().narrow(Some(OTHER)).is_err(), "it never widens again");
    }

    #[test]
    fn customers_are_everything_but_the_system_tenant() {
        assert_eq!(EVERYTHING.narrow_to_customers(), CUSTOMERS);
        assert_eq!(CUSTOMERS.narrow_to_customers(), CUSTOMERS);
        assert_eq!(Visibility::of_tenant(OWN).narrow_to_customers(), TENANT);
    }

    #[test]
    fn an_invisible_tenant_answers_as_an_unknown_one() {
        for (visibility, tenant) in [(TENANT, OTHER), (TENANT, TenantId::SYSTEM), (CUSTOMERS, TenantId::SYSTEM)] {
            for error in [visibility.check(tenant).unwrap_err(), visibility.narrow(Some(tenant)).unwrap_err()] {
                assert!(matches!(error, Error::NotFound(_)), "{visibility:?}");
                assert_eq!(error.detail().unwrap().code, "tenant_not_found");
                assert_eq!(error.to_string(), format!("there is no tenant '{tenant}'"));
            }
        }
    }

    #[test]
    fn a_list_of_tenants_loses_the_invisible_ones() {
        assert_eq!(EVERYTHING.narrow_to_any(None), None);
        assert_eq!(CUSTOMERS.narrow_to_any(None), None);
        assert_eq!(TENANT.narrow_to_any(None), Some(vec![OWN]));
        assert_eq!(EVERYTHING.narrow_to_any(Some(&[OTHER, OWN, OTHER])), Some(vec![OWN, OTHER]));
        assert_eq!(CUSTOMERS.narrow_to_any(Some(&[TenantId::SYSTEM, OWN])), Some(vec![OWN]));
        assert_eq!(TENANT.narrow_to_any(Some(&[OTHER, OWN])), Some(vec![OWN]));
        assert_eq!(TENANT.narrow_to_any(Some(&[OTHER])), Some(vec![]));
        assert_eq!(EVERYTHING.narrow_to_any(Some(&[])), Some(vec![]));
    }

    #[test]
    fn only_a_credential_of_no_tenant_may_do_what_concerns_all() {
        assert!(EVERYTHING.check_all_tenants().is_ok() && CUSTOMERS.check_all_tenants().is_ok());
        let error = TENANT.check_all_tenants().unwrap_err();
        assert!(matches!(error, Error::Forbidden(_)));
        assert!(error.to_string().contains("scoped to one"), "{error}");
    }
}
