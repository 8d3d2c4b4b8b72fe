//! The interface of the domain to a database. `trailkeeper-storage` implements it for SQLite and PostgreSQL.
//!
//! Ports are synchronous, and a transaction is one closure on a blocking thread, so that no `.await` can happen in an
//! open transaction. The transaction gives access to all ports.

mod access;
mod activity;
mod buckets;
mod directory;
mod events;
mod feed;
mod pages;
mod postings;
mod retention;
mod sheets;
mod streams;
mod throttle;

// All public items in the file of a port belong to the port.
pub use access::*;
pub use activity::*;
pub use buckets::*;
pub use directory::*;
pub use events::*;
pub use feed::*;
pub use pages::*;
pub use postings::*;
pub use retention::*;
pub use sheets::*;
pub use streams::*;
pub use throttle::*;

use crate::bucket::{Bucket, Buckets};
use crate::error::Result;
use crate::scope::Scope;

/// A database.
pub trait Store: Send + Sync {
    /// Runs `work` in one read-only transaction that sees one snapshot.
    ///
    /// `work` may run more than once, if the database requires a retry. It must not keep results of a failed run.
    fn read(&self, work: &mut dyn FnMut(&mut dyn ReadTx) -> Result<()>) -> Result<()>;

    /// Runs `work` in one write transaction. The transaction is committed if `work` returns `Ok`, else rolled back.
    ///
    /// When this method returns `Ok`, the transaction is durable. `work` may run more than once.
    fn write(&self, work: &mut dyn FnMut(&mut dyn WriteTx) -> Result<()>) -> Result<()>;

    /// Moves at most `limit` events that an older version stored in another place to the present one. Reads and writes are
    /// exact meanwhile. A server calls this method until it returns [`Moving::Done`].
    fn move_rows(&self, _limit: usize) -> Result<Moving> {
        Ok(Moving::Done)
    }

    /// Takes a step of background work that the database itself does not do, if one is due, in at most about 50 ms.
    /// Returns whether another step is due. A server calls this method again and again while it has nothing better to
    /// do; without it, the work is done by writes as far as these need it.
    fn maintain(&self) -> Result<bool> {
        Ok(false)
    }

    /// Makes the structure that finds events by their ids again, from the events, in many short transactions. Returns the
    /// number of ids in it; `None` if the database itself keeps ids unique.
    fn rebuild_ids(&self) -> Result<Option<u64>> {
        Ok(None)
    }

    /// The size of the database's file; `None` if the database itself gives free space back.
    fn space(&self) -> Result<Option<Space>> {
        Ok(None)
    }

    /// Gives free space back to the file system, as far as the database itself does not. No event can be stored meanwhile:
    /// it takes as long as writing everything that is not free.
    fn vacuum(&self) -> Result<()> {
        Ok(())
    }

    /// The greatest number of an event up to which no other event will become visible any more: those that have numbers up to
    /// it and are stored can be read now. Another transaction may hold a smaller number than one that is visible.
    ///
    /// It lags behind transactions in progress, and never goes back as long as the database does not.
    fn settled(&self) -> Result<i64>;

    /// Checks that the database is reachable, writable and has every migration. An error otherwise.
    fn ready(&self) -> Result<()>;

    /// The useful number of concurrent transactions that store events of so many buckets in this process. It is 1 if such
    /// transactions wait for each other anyway.
    fn writers(&self, _buckets: Buckets) -> usize {
        1
    }

    /// The number of waiting events of one bucket that are worth a transaction of their own. Fewer share a transaction with
    /// events of other buckets. `None` if events of all buckets always do.
    fn bucket_events(&self) -> Option<usize> {
        None
    }
}

/// The size of a database's file.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Space {
    /// The bytes of the file.
    pub bytes: u64,
    /// The bytes in it that nothing uses.
    pub free: u64,
}

/// What [`Store::move_rows`] did.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Moving {
    /// Every event is in the present place.
    Done,
    /// It moved this number of events. There may be more to do.
    Moved(u64),
    /// It did nothing, because of another process that moves events or uses their old place. A later call goes on.
    Waiting,
}

impl dyn Store + '_ {
    /// Like [`Store::read`], but returns the result of `work`.
    pub fn reading<T>(&self, mut work: impl FnMut(&mut dyn ReadTx) -> Result<T>) -> Result<T> {
        let mut answer = None;
        self.read(&mut |tx| work(tx).map(|value| answer = Some(value)))?;
        answer.ok_or_else(|| crate::Error::internal("the store returned without running its work"))
    }

    /// Like [`Store::write`], but returns the result of `work`.
    pub fn writing<T>(&self, mut work: impl FnMut(&mut dyn WriteTx) -> Result<T>) -> Result<T> {
        let mut answer = None;
        self.write(&mut |tx| work(tx).map(|value| answer = Some(value)))?;
        answer.ok_or_else(|| crate::Error::internal("the store returned without running its work"))
    }
}

/// All reads that a transaction supports.
pub trait ReadTx:
    BucketReads
    + EventReads
    + FeedReads
    + PageReads
    + DirectoryReads
    + AccessReads
    + ActivityReads
    + SheetReads
    + PostingReads
    + RetentionReads
    + StreamReads
    + ThrottleReads
{
}

impl dyn ReadTx + '_ {
    /// Calls `work` inside each bucket that has events of a scope; only inside the present one, if one was entered.
    ///
    /// # Errors
    /// Those of the store and of `work`.
    pub fn in_buckets_of(
        &mut self,
        scope: Scope,
        mut work: impl FnMut(&mut dyn ReadTx, Bucket) -> Result<()>,
    ) -> Result<()> {
        let entered = self.entered_bucket();
        let buckets = match entered {
            Some(bucket) => vec![bucket],
            None => self.buckets()?.of_scope(scope),
        };
        let mut outcome = Ok(());
        for bucket in buckets {
            self.enter_bucket(Some(bucket));
            outcome = work(self, bucket);
            if outcome.is_err() {
                break;
            }
        }
        self.enter_bucket(entered);
        outcome
    }
}

/// All reads and changes that a write transaction supports.
pub trait WriteTx:
    ReadTx
    + EventWrites
    + PageWrites
    + DirectoryWrites
    + AccessWrites
    + ActivityWrites
    + SheetWrites
    + PostingWrites
    + RetentionWrites
    + StreamWrites
    + ThrottleWrites
{
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::error::Error;
    use crate::event::EventFilter;
    use crate::testing::{CUSTOMERS, MemoryStore, event};

    /// A store that returns without running any work.
    struct Idle;

    impl Store for Idle {
        fn read(&self, _: &mut dyn FnMut(&mut dyn ReadTx) -> Result<()>) -> Result<()> {
            Ok(())
        }

        fn write(&self, _: &mut dyn FnMut(&mut dyn WriteTx) -> Result<()>) -> Result<()> {
            Ok(())
        }

        fn settled(&self) -> Result<i64> {
            Ok(0)
        }

        fn ready(&self) -> Result<()> {
            Ok(())
        }
    }

    #[test]
    fn the_result_of_the_last_run_counts() {
        let store: &dyn Store = &MemoryStore::default();
        let mut runs = 0;
        let result = store.writing(|tx| {
            runs += 1;
            Ok((runs, tx.insert_events(&[event(1)])?))
        });
        assert_eq!(result.unwrap(), (2, vec![true]), "this store repeats each work, and rolls the first run back");
        let filter = EventFilter::within(CUSTOMERS);
        assert_eq!(store.reading(|tx| tx.events(&filter, None, 10)).unwrap().len(), 1);
    }

    #[test]
    fn an_error_of_the_work_undoes_it_and_is_the_result() {
        let memory = MemoryStore::default();
        let store: &dyn Store = &memory;
        let result: Result<()> = store.writing(|tx| {
            tx.insert_events(&[event(1)])?;
            Err(Error::forbidden("no"))
        });
        assert!(matches!(result, Err(Error::Forbidden(_))), "{result:?}");
        assert_eq!(memory.records().events, []);
    }

    #[test]
    fn a_store_that_runs_no_work_is_a_defect_and_no_success() {
        let store: &dyn Store = &Idle;
        assert!(matches!(store.reading(|_| Ok(1)), Err(Error::Internal { .. })));
        assert!(matches!(store.writing(|_| Ok(1)), Err(Error::Internal { .. })));
        assert_eq!((store.writers(Buckets::ONE), store.bucket_events()), (1, None), "unless a store says otherwise");
    }
}
