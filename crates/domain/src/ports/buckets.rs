use crate::bucket::{Bucket, Buckets};
use crate::error::Result;

/// The buckets of the database, and the one that a transaction is about.
///
/// A transaction begins outside of any bucket: it stores and reads the events of every tenant, and a question about
/// everyone asks all buckets. Whatever merges, rebuilds or removes works inside one bucket: there, every method is about
/// the events, deltas, sheets, runs and the lease of that bucket, and everyone is everyone of the bucket. Names, records,
/// accounts and rules belong to no bucket.
pub trait BucketReads {
    /// The buckets of the database.
    fn buckets(&mut self) -> Result<Buckets>;

    /// Enters a bucket, or leaves it. Of a database with one bucket, every transaction is inside it.
    fn enter_bucket(&mut self, bucket: Option<Bucket>);

    /// The bucket that was entered and not left.
    fn entered_bucket(&self) -> Option<Bucket>;
}
