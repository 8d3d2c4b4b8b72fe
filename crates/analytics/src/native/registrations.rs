//! How many users registered, and how many became members of tenants.
//!
//! From the ledger of creations: users and memberships that were removed since stay counted.

use std::collections::BTreeMap;

use trailkeeper_domain::Result;
use trailkeeper_domain::creation::{Creation, CreationKind};
use trailkeeper_domain::id::TenantId;
use trailkeeper_domain::ports::{ReadTx, Store};
use trailkeeper_domain::time::TimeRange;
use trailkeeper_domain::user::PoolId;

use super::buckets::{Granularity, Span};
use super::tally::Rows;
use super::{Compared, Series, SeriesSpec, narrowed};

/// Which registrations are asked for. Every condition that is present must hold.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct RegistrationsFilter {
    /// Only users who ever became a member of this tenant ([`TenantId::NONE`]: of none), and its memberships.
    pub tenant_id: Option<TenantId>,
    /// Only users of this region.
    pub region: Option<String>,
    /// Only users of this pool.
    pub user_pool_id: Option<PoolId>,
}

/// What came to be.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Registrations {
    /// Users who registered.
    pub users: u64,
    /// By region, `None` for users without one.
    pub regions: BTreeMap<Option<String>, u64>,
    /// By user pool, `None` for users without one.
    pub user_pools: BTreeMap<Option<String>, u64>,
    /// Memberships. `None` where regions or pools were asked for: a membership has neither.
    pub memberships: Option<Memberships>,
}

/// Memberships that came to be.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Memberships {
    /// All of them.
    pub count: u64,
    /// By tenant.
    pub tenants: BTreeMap<TenantId, u64>,
}

impl Registrations {
    fn add_user(&mut self, creation: &Creation) {
        self.users += 1;
        *self.regions.entry(creation.region.clone()).or_default() += 1;
        let pool = creation.user_pool_id.as_ref().map(|pool| pool.as_str().to_owned());
        *self.user_pools.entry(pool).or_default() += 1;
    }

    fn add_membership(&mut self, creation: &Creation) {
        let memberships = self.memberships.get_or_insert_default();
        memberships.count += 1;
        *memberships.tenants.entry(creation.tenant_id).or_default() += 1;
    }

    fn rows(&self) -> usize {
        let tenants = self.memberships.as_ref().map_or(0, |memberships| memberships.tenants.len());
        self.regions.len() + self.user_pools.len() + tenants
    }
}

/// Registrations per bucket and over the whole range, in one snapshot. An asker who is confined to a tenant sees
/// the users who ever became its members, and its memberships.
pub fn registrations(
    store: &dyn Store,
    filter: &RegistrationsFilter,
    spec: SeriesSpec,
    tenant_scoped: Option<TenantId>,
) -> Result<Compared<Series<Registrations>>> {
    let tenant = narrowed(filter.tenant_id, tenant_scoped)?;
    store.reading(|tx| {
        let mut rows = Rows::default();
        spec.compared(|span| series(tx, filter, tenant, span, spec.granularity, &mut rows))
    })
}

fn series(
    tx: &mut dyn ReadTx,
    filter: &RegistrationsFilter,
    tenant: Option<TenantId>,
    span: Span,
    granularity: Granularity,
    rows: &mut Rows,
) -> Result<Series<Registrations>> {
    let ranges = span.buckets(granularity)?;
    let with_memberships = filter.region.is_none() && filter.user_pool_id.is_none();
    let empty = Registrations { memberships: with_memberships.then(Memberships::default), ..Registrations::default() };
    let mut totals = empty.clone();
    let mut buckets: Vec<(TimeRange, Registrations)> = ranges.into_iter().map(|range| (range, empty.clone())).collect();
    tx.creations(CreationKind::SaasUser, span.range, tenant, &mut |creation| {
        if wanted(filter, creation) {
            totals.add_user(creation);
            counted(&mut buckets, creation, rows, Registrations::add_user)?;
        }
        Ok(())
    })?;
    if with_memberships {
        tx.creations(CreationKind::TenantUser, span.range, tenant, &mut |creation| {
            totals.add_membership(creation);
            counted(&mut buckets, creation, rows, Registrations::add_membership)
        })?;
    }
    Ok(Series { span, totals, buckets })
}

fn wanted(filter: &RegistrationsFilter, user: &Creation) -> bool {
    filter.region.as_ref().is_none_or(|region| user.region.as_ref() == Some(region))
        && filter.user_pool_id.as_ref().is_none_or(|pool| user.user_pool_id.as_ref() == Some(pool))
}

/// Counts a creation in its bucket.
fn counted(
    buckets: &mut [(TimeRange, Registrations)],
    creation: &Creation,
    rows: &mut Rows,
    add: impl Fn(&mut Registrations, &Creation),
) -> Result<()> {
    let at = buckets.partition_point(|(range, _)| range.end <= creation.created_at);
    let Some((_, bucket)) = buckets.get_mut(at) else { return Ok(()) };
    let before = bucket.rows();
    add(bucket, creation);
    rows.add(bucket.rows() - before)
}
