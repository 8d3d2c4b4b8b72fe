//! Buckets: the parts into which the events of a database are divided, each with the events of some tenants.

use siphasher::sip::SipHasher13;
use std::hash::Hasher as _;
use std::num::NonZeroU16;

use crate::error::{Error, Result};
use crate::id::TenantId;
use crate::scope::Scope;

/// One of the buckets of a database.
///
/// A bucket is complete in itself: the events of its tenants, with their deltas, sheets, index of events, and the lease on
/// them. In a transaction of one bucket, [`Scope::Everyone`] is everyone of the bucket.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Bucket(u16);

impl Bucket {
    /// The bucket of the system tenant. Every database has it.
    pub const FIRST: Self = Self(0);

    /// The number of the bucket, as the database stores it.
    pub fn code(self) -> i16 {
        // At most `Buckets::MAX`.
        i16::try_from(self.0).unwrap_or(i16::MAX)
    }
}

/// The buckets of a database. Their number is fixed when the database is made, because it decides where a tenant's events
/// are.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Buckets {
    count: NonZeroU16,
}

impl Buckets {
    /// The only bucket of a database that is not divided.
    pub const ONE: Self = Self { count: NonZeroU16::MIN };

    /// The largest number of buckets: a question about everyone asks each of them.
    pub const MAX: u16 = 256;

    /// So many buckets.
    ///
    /// # Errors
    /// [`Error::Invalid`] for `buckets` unless there are 1 to [`Self::MAX`].
    pub fn new(count: u16) -> Result<Self> {
        match NonZeroU16::new(count) {
            Some(count) if count.get() <= Self::MAX => Ok(Self { count }),
            _ => Err(Error::invalid("buckets", format!("{count} is not possible; use 1 to {}", Self::MAX))),
        }
    }

    /// The number of buckets.
    pub fn count(self) -> u16 {
        self.count.get()
    }

    /// All buckets, in ascending order.
    pub fn all(self) -> impl Iterator<Item = Bucket> + Clone {
        (0..self.count()).map(Bucket)
    }

    /// The bucket of a tenant's events: SipHash-1-3 of the 16 bytes of its id with the key 0, modulo the number of buckets.
    /// The first one has the system tenant. Databases depend on this rule, so it never changes.
    pub fn of(self, tenant: TenantId) -> Bucket {
        if tenant == TenantId::SYSTEM || self == Self::ONE {
            return Bucket::FIRST;
        }
        let mut hasher = SipHasher13::new();
        hasher.write(tenant.0.as_bytes());
        let nth = hasher.finish() % u64::from(self.count());
        // Smaller than the number of buckets.
        Bucket(u16::try_from(nth).unwrap_or_default())
    }

    /// The buckets that have the events of a scope, in ascending order.
    pub fn of_scope(self, scope: Scope) -> Vec<Bucket> {
        match scope {
            Scope::Everyone => self.all().collect(),
            Scope::Tenant(tenant) => vec![self.of(tenant)],
        }
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use uuid::Uuid;

    use super::*;

    fn tenant(number: u128) -> TenantId {
        TenantId(Uuid::from_u128(number))
    }

    #[test]
    fn the_bucket_of_a_tenant_never_changes() {
        // CPython 3.11 computed them by its own SipHash-1-3: PYTHONHASHSEED=0, hash(n.to_bytes(16, "big")) % 2**64 % 8.
        let buckets = Buckets::new(8).unwrap();
        let codes: Vec<i16> = (1..=8).map(|number| buckets.of(tenant(number)).code()).collect();
        assert_eq!(codes, [7, 2, 7, 3, 0, 0, 1, 3]);
    }

    #[test]
    fn the_system_tenant_is_in_the_first_bucket_and_every_bucket_gets_tenants() {
        for count in [1, 2, 7, 32] {
            let buckets = Buckets::new(count).unwrap();
            assert_eq!(buckets.of(TenantId::SYSTEM), Bucket::FIRST);
            let used: BTreeSet<Bucket> = (0..2_000).map(|number| buckets.of(tenant(number))).collect();
            assert!(used.into_iter().eq(buckets.all()), "{count}");
        }
    }

    #[test]
    fn everyone_is_in_all_buckets_and_a_tenant_in_one() {
        let buckets = Buckets::new(3).unwrap();
        assert!(buckets.of_scope(Scope::Everyone).into_iter().eq(buckets.all()));
        assert_eq!(buckets.of_scope(Scope::Tenant(tenant(9))), [buckets.of(tenant(9))]);
        assert_eq!(Buckets::ONE.of_scope(Scope::Everyone), [Bucket::FIRST]);
    }

    #[test]
    fn the_number_of_buckets_is_limited() {
        for count in [0, 257, u16::MAX] {
            let error = Buckets::new(count).unwrap_err();
            assert_eq!(error.detail().unwrap().field.as_deref(), Some("buckets"), "{count}");
        }
        assert_eq!(Buckets::new(256).unwrap().count(), 256);
    }
}
