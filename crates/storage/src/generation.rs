//! The generation of a bucket's sheets and runs.

use trailkeeper_domain::bucket::Bucket;

/// A generation of the sheets and runs of a bucket. Inside it, a key identifies the same content forever.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Generation {
    /// The bucket.
    pub bucket: Bucket,
    /// The number of the generation, unique inside the bucket.
    pub number: i64,
}
