//! One bucket of a store, as a store of its own.

use crate::bucket::{Bucket, Buckets};
use crate::error::Result;
use crate::ports::{Moving, ReadTx, Space, Store, WriteTx};

/// One bucket of a store: each transaction begins inside it.
pub struct BucketStore<'a> {
    store: &'a dyn Store,
    bucket: Bucket,
}

impl<'a> BucketStore<'a> {
    /// A bucket of a store.
    pub fn new(store: &'a dyn Store, bucket: Bucket) -> Self {
        Self { store, bucket }
    }
}

impl Store for BucketStore<'_> {
    fn read(&self, work: &mut dyn FnMut(&mut dyn ReadTx) -> Result<()>) -> Result<()> {
        self.store.read(&mut |tx| {
            tx.enter_bucket(Some(self.bucket));
            work(tx)
        })
    }

    fn write(&self, work: &mut dyn FnMut(&mut dyn WriteTx) -> Result<()>) -> Result<()> {
        self.store.write(&mut |tx| {
            tx.enter_bucket(Some(self.bucket));
            work(tx)
        })
    }

    fn move_rows(&self, limit: usize) -> Result<Moving> {
        self.store.move_rows(limit)
    }

    fn maintain(&self) -> Result<bool> {
        self.store.maintain()
    }

    fn rebuild_ids(&self) -> Result<Option<u64>> {
        self.store.rebuild_ids()
    }

    fn space(&self) -> Result<Option<Space>> {
        self.store.space()
    }

    fn vacuum(&self) -> Result<()> {
        self.store.vacuum()
    }

    fn settled(&self) -> Result<i64> {
        self.store.settled()
    }

    fn ready(&self) -> Result<()> {
        self.store.ready()
    }

    fn writers(&self, buckets: Buckets) -> usize {
        self.store.writers(buckets)
    }

    fn bucket_events(&self) -> Option<usize> {
        self.store.bucket_events()
    }
}
