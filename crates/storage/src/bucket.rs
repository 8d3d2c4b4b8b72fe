//! The unit of distribution.

/// The bucket of all rows. There is one bucket, until databases of several machines distribute them.
pub const BUCKET: i16 = 0;
