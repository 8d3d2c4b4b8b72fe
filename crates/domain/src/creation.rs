//! The ledger of creations: what `create_tenant`, `create_saas_user` and `create_tenant_user` count.
//!
//! A record can be removed; that it came to be stays counted, because past answers must not change.

use chrono::NaiveDate;

use crate::error::{Error, Result};
use crate::id::{CreationId, TenantId, UserId};
use crate::text;
use crate::time::Timestamp;
use crate::user::PoolId;

/// What came to be.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum CreationKind {
    /// A tenant.
    Tenant,
    /// A user, of any tenant or none.
    SaasUser,
    /// A user's membership of a tenant.
    TenantUser,
}

impl CreationKind {
    /// All of them.
    pub const ALL: [Self; 3] = [Self::Tenant, Self::SaasUser, Self::TenantUser];

    /// The name on the wire (SaaSus `metrics_type`) and in the database.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Tenant => "create_tenant",
            Self::SaasUser => "create_saas_user",
            Self::TenantUser => "create_tenant_user",
        }
    }

    /// Reads the name; `field` names it in the error.
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
    /// The record holds it, so that a corrected time moves this entry instead of adding one.
    pub id: CreationId,
    /// What came to be.
    pub kind: CreationKind,
    /// The tenant; [`TenantId::NONE`] for users.
    pub tenant_id: TenantId,
    /// The user, where one is concerned.
    pub user_id: Option<UserId>,
    /// The user's region.
    pub region: Option<String>,
    /// The user's pool.
    pub user_pool_id: Option<PoolId>,
    /// When.
    pub created_at: Timestamp,
}

/// How many came to be on one day in one tenant.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct DailyCount {
    /// The UTC day.
    pub day: NaiveDate,
    /// The tenant; [`TenantId::NONE`] outside any.
    pub tenant_id: TenantId,
    /// How many.
    pub count: u64,
}
