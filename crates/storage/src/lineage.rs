//! The lineage of a database: which changes its content has seen.

use std::sync::atomic::{AtomicI64, Ordering};

use ring::rand::{SecureRandom, SystemRandom};
use trailkeeper_domain::{Error, Result};
use uuid::Uuid;

/// The row of the table `lineage`. Two snapshots with the same row have the same dictionaries and sheets.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Lineage {
    /// The identity of the database. It is drawn when the table is created, and copies have the same one.
    pub database: Uuid,
    /// The number of committed changes to dictionaries and sheets.
    pub changes: i64,
    /// The writer of the last change.
    pub writer: Uuid,
}

/// The part of a lineage that one [`Shared`](crate::names::NameCache) state belongs to: it begins with the row that was
/// found, and goes on with the writes of this process.
#[derive(Debug)]
pub struct KnownLineage {
    /// The row at the beginning.
    first: Lineage,
    /// The name under which this process writes. No other part of any lineage has it.
    writer: Uuid,
    /// The number of changes after the last known commit.
    changes: AtomicI64,
}

impl KnownLineage {
    /// A part that begins with this row.
    ///
    /// # Errors
    /// The system has no randomness.
    pub fn new(first: Lineage) -> Result<Self> {
        let mut writer = [0; 16];
        SystemRandom::new().fill(&mut writer).map_err(|_| Error::internal("the system gives no random numbers"))?;
        Ok(Self { first, writer: Uuid::from_bytes(writer), changes: AtomicI64::new(first.changes) })
    }

    /// The lineage of a database that needs none: PostgreSQL ends all connections before its content is replaced.
    pub fn none() -> Self {
        let first = Lineage { database: Uuid::nil(), changes: 0, writer: Uuid::nil() };
        Self { first, writer: Uuid::nil(), changes: AtomicI64::new(0) }
    }

    /// The row at the beginning.
    pub fn first(&self) -> Lineage {
        self.first
    }

    /// The name of this process in the row.
    pub fn writer(&self) -> Uuid {
        self.writer
    }

    /// The number of changes after the last known commit. A snapshot that begins after this call has at least as many.
    pub fn changes(&self) -> i64 {
        self.changes.load(Ordering::SeqCst)
    }

    /// Records that a write of this process was committed, after which the row has this number of changes.
    pub fn committed(&self, changes: i64) {
        self.changes.fetch_max(changes, Ordering::SeqCst);
    }

    /// Whether a snapshot with the row `found` follows from the beginning by writes of this process only. `at_least` is
    /// [`Self::changes`] from before the snapshot began.
    ///
    /// A copy of the database that was made in between has fewer changes.
    pub fn includes(&self, found: Lineage, at_least: i64) -> bool {
        found.database == self.first.database
            && found.changes >= at_least
            && (found == self.first || found.writer == self.writer)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn row(database: u128, changes: i64, writer: Uuid) -> Lineage {
        Lineage { database: Uuid::from_u128(database), changes, writer }
    }

    #[test]
    fn own_writes_continue_a_lineage_and_nothing_else_does() {
        let (nobody, other) = (Uuid::nil(), Uuid::from_u128(9));
        let known = KnownLineage::new(row(1, 5, nobody)).unwrap();
        assert!(known.includes(row(1, 5, nobody), 5), "nothing was written");
        known.committed(7);
        known.committed(6);
        assert_eq!(known.changes(), 7, "commits may be reported in any order");
        assert!(known.includes(row(1, 7, known.writer()), 7));
        assert!(known.includes(row(1, 8, known.writer()), 7), "a commit that is not reported yet");
        assert!(!known.includes(row(1, 6, known.writer()), 7), "an older copy");
        assert!(!known.includes(row(1, 5, nobody), 7), "the copy from the beginning");
        assert!(!known.includes(row(1, 8, other), 7), "the write of another process");
        assert!(!known.includes(row(2, 8, known.writer()), 7), "another database");
        assert_ne!(KnownLineage::new(row(1, 5, nobody)).unwrap().writer(), known.writer());
    }
}
