//! The content version of a database: it differs between two states of the dictionaries and sheets.

use std::sync::atomic::{AtomicI64, Ordering};

use ring::rand::{SecureRandom, SystemRandom};
use trailkeeper_domain::{Error, Result};
use uuid::Uuid;

/// The row of the table `content_version`. Two snapshots with the same row have the same dictionaries and sheets.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ContentVersion {
    /// The identity of the database. It is drawn when the table is created, and copies have the same one.
    pub database: Uuid,
    /// The number of committed changes to dictionaries and sheets.
    pub changes: i64,
    /// The writer of the last change.
    pub writer: Uuid,
}

/// The content versions for which the caches of one `Shared` state are valid: the version that
/// was found first, and those that only writes of this process made from it.
#[derive(Debug)]
pub struct KnownVersion {
    /// The row at the beginning.
    first: ContentVersion,
    /// The name under which this process writes. No other process, and no earlier state of this one, has it.
    writer: Uuid,
    /// The number of changes after the last known commit.
    changes: AtomicI64,
}

impl KnownVersion {
    /// The versions from this row on.
    ///
    /// # Errors
    /// The system has no randomness.
    pub fn new(first: ContentVersion) -> Result<Self> {
        Ok(Self { first, writer: new_identity()?, changes: AtomicI64::new(first.changes) })
    }

    /// For a database that needs no content version: PostgreSQL ends all connections before its content is replaced.
    pub fn none() -> Self {
        let first = ContentVersion { database: Uuid::nil(), changes: 0, writer: Uuid::nil() };
        Self { first, writer: Uuid::nil(), changes: AtomicI64::new(0) }
    }

    /// The row at the beginning.
    pub fn first(&self) -> ContentVersion {
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
    pub fn includes(&self, found: ContentVersion, at_least: i64) -> bool {
        found.database == self.first.database
            && found.changes >= at_least
            && (found == self.first || found.writer == self.writer)
    }
}

/// A name that nothing else has.
///
/// # Errors
/// The system has no randomness.
pub fn new_identity() -> Result<Uuid> {
    let mut bytes = [0; 16];
    SystemRandom::new().fill(&mut bytes).map_err(|_| Error::internal("the system gives no random numbers"))?;
    Ok(Uuid::from_bytes(bytes))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn row(database: u128, changes: i64, writer: Uuid) -> ContentVersion {
        ContentVersion { database: Uuid::from_u128(database), changes, writer }
    }

    #[test]
    fn caches_stay_valid_after_own_writes_and_after_nothing_else() {
        let (nobody, other) = (Uuid::nil(), Uuid::from_u128(9));
        let known = KnownVersion::new(row(1, 5, nobody)).unwrap();
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
        assert_ne!(KnownVersion::new(row(1, 5, nobody)).unwrap().writer(), known.writer());
    }
}
