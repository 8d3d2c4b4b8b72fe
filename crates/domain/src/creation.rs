//! The ledger of creations, which `create_tenant`, `create_saas_user` and `create_tenant_user` count.
//!
//! A creation stays counted when its record is removed, because past answers must not change.

use chrono::NaiveDate;

use crate::error::{Error, Result};
use crate::id::{CreationId, TenantId, UserId};
use crate::text;
use crate::time::Timestamp;
use crate::user::PoolId;

/// The kind of thing that was created.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum CreationKind {
    /// A tenant.
    Tenant,
    /// A user, of any tenant or of none.
    SaasUser,
    /// A user's membership of a tenant.
    TenantUser,
}

impl CreationKind {
    /// All kinds.
    pub const ALL: [Self; 3] = [Self::Tenant, Self::SaasUser, Self::TenantUser];

    /// The name on the wire (SaaSus `metrics_type`) and in the database.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Tenant => "create_tenant",
            Self::SaasUser => "create_saas_user",
            Self::TenantUser => "create_tenant_user",
        }
    }

    /// Parses the name; `field` names it in the error.
    pub fn parse(field: &str, value: &str) -> Result<Self> {
        Self::ALL.into_iter().find(|kind| kind.as_str() == value).ok_or_else(|| {
            Error::invalid(
                field,
                format!(
                    "'{}' is not a metric; send create_tenant, create_saas_user or create_tenant_user",
                    text::shown(value)
                ),
            )
        })
    }
}

/// One entry of the ledger.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Creation {
    /// The id of the entry. The record refers to it, so that a corrected time moves this entry and adds no other.
    pub id: CreationId,
    /// The kind of thing that was created.
    pub kind: CreationKind,
    /// The tenant; [`TenantId::NONE`] for users.
    pub tenant_id: TenantId,
    /// The user; `None` for tenants.
    pub user_id: Option<UserId>,
    /// The user's region.
    pub region: Option<String>,
    /// The user's pool.
    pub user_pool_id: Option<PoolId>,
    /// The time of the creation.
    pub created_at: Timestamp,
}

/// The number of creations on one day in one tenant.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct DailyCount {
    /// The UTC day.
    pub day: NaiveDate,
    /// The tenant; [`TenantId::NONE`] outside any tenant.
    pub tenant_id: TenantId,
    /// The number of creations.
    pub count: u64,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_those_of_the_contract_and_lead_back() {
        assert_eq!(
            CreationKind::ALL.map(CreationKind::as_str),
            ["create_tenant", "create_saas_user", "create_tenant_user"]
        );
        for kind in CreationKind::ALL {
            assert_eq!(CreationKind::parse("metrics_type", kind.as_str()).unwrap(), kind);
        }
        let error = CreationKind::parse("metrics_type", "Create_Tenant").unwrap_err().to_string();
        assert!(error.starts_with("metrics_type: 'Create_Tenant' is not a metric"), "{error}");
    }
}
