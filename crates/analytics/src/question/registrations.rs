//! Registrations of users, and memberships of tenants.
//!
//! They are counted from the ledger of creations: users and memberships that were removed later stay counted.

use std::collections::BTreeMap;

use trailkeeper_domain::Result;
use trailkeeper_domain::creation::{Creation, CreationKind};
use trailkeeper_domain::id::TenantId;
use trailkeeper_domain::ports::{ReadTx, Store};
use trailkeeper_domain::time::TimeRange;
use trailkeeper_domain::user::PoolId;

use super::tally::Rows;
use super::{Compared, Series, SeriesSpec};
use crate::{Audience, Granularity, Span};

/// The conditions of a question for registrations. Every condition that is present must hold.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct RegistrationsFilter {
    /// Only users of this region.
    pub region: Option<String>,
    /// Only users of this pool.
    pub user_pool_id: Option<PoolId>,
}

/// The users and memberships that were created in a range.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Registrations {
    /// The number of users who registered.
    pub users: u64,
    /// The number of users by region; `None` for those without one.
    pub regions: BTreeMap<Option<String>, u64>,
    /// The number of users by user pool; `None` for those without one.
    pub user_pools: BTreeMap<Option<String>, u64>,
    /// Memberships. `None` if the question names a region or a pool: a membership has neither.
    pub memberships: Option<Memberships>,
}

/// Memberships that were created.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Memberships {
    /// The number of memberships.
    pub count: u64,
    /// The number of memberships by tenant.
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

/// Counts registrations per bucket and over the whole range: of everyone, or of the users who ever became members of
/// the audience's tenant, and its memberships. [`TenantId::NONE`] stands for users who never became a member.
///
/// # Errors
/// [`Error::Invalid`](trailkeeper_domain::Error::Invalid) for `granularity` if the answer would have too many buckets
/// or rows, and for `env_id`: a registration has no environment.
pub fn registrations(
    store: &dyn Store,
    filter: &RegistrationsFilter,
    spec: SeriesSpec,
    audience: &Audience,
) -> Result<Compared<Series<Registrations>>> {
    let tenant = audience.tenant_of_any_env()?;
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
    let tenants = tenant.as_ref().map(std::slice::from_ref);
    tx.creations(CreationKind::SaasUser, span.range, tenants, &mut |creation| {
        if wanted(filter, creation) {
            totals.add_user(creation);
            counted(&mut buckets, creation, rows, Registrations::add_user)?;
        }
        Ok(())
    })?;
    if with_memberships {
        tx.creations(CreationKind::TenantUser, span.range, tenants, &mut |creation| {
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
