//! The buckets of the database, and the one that a transaction is inside.

use trailkeeper_domain::bucket::{Bucket, Buckets};
use trailkeeper_domain::ports::BucketReads;
use trailkeeper_domain::scope::Scope;
use trailkeeper_domain::{Error, Result};

use super::{Tx, dialect};

impl BucketReads for Tx<'_> {
    fn buckets(&mut self) -> Result<Buckets> {
        if let Some(buckets) = self.shared.buckets.get() {
            return Ok(*buckets);
        }
        let count = self.run("buckets", dialect::bucket_count)?.ok_or_else(|| {
            Error::unavailable(
                "the database is new, and the number of its buckets is not chosen yet: run its migrations",
            )
        })?;
        let buckets = Buckets::new(u16::try_from(count).map_err(Error::internal)?).map_err(Error::internal)?;
        Ok(*self.shared.buckets.get_or_init(|| buckets))
    }

    fn enter_bucket(&mut self, bucket: Option<Bucket>) {
        self.bucket = bucket;
    }

    fn entered_bucket(&self) -> Option<Bucket> {
        self.bucket
    }
}

impl Tx<'_> {
    /// The bucket that the transaction is inside.
    ///
    /// # Errors
    /// [`Error::Internal`] if it is outside of any, and the database has several.
    pub(super) fn bucket(&mut self) -> Result<Bucket> {
        if let Some(bucket) = self.bucket {
            return Ok(bucket);
        }
        if self.buckets()? == Buckets::ONE {
            return Ok(Bucket::FIRST);
        }
        Err(Error::internal("what belongs to one bucket was asked for outside of any"))
    }

    /// The buckets that have what the transaction reads of a scope: the one that it is inside, or all that have events of
    /// the scope.
    pub(super) fn buckets_of(&mut self, scope: Scope) -> Result<Vec<Bucket>> {
        match self.bucket {
            Some(bucket) => Ok(vec![bucket]),
            None => Ok(self.buckets()?.of_scope(scope)),
        }
    }

    /// Runs `work` inside a bucket.
    pub(super) fn inside<T>(&mut self, bucket: Bucket, work: impl FnOnce(&mut Self) -> T) -> T {
        let before = self.bucket.replace(bucket);
        let outcome = work(self);
        self.bucket = before;
        outcome
    }
}
