//! Deltas of versions before columnar deltas: `{hour → sheet}` of one scope and one batch.
//!
//! Nothing writes them any more. They are merged before the first question is answered.

use std::collections::{BTreeMap, HashSet};
use std::time::Duration;

use chrono::DateTime;
use trailkeeper_domain::bucket::Bucket;
use trailkeeper_domain::bucket_store::BucketStore;
use trailkeeper_domain::clock::{Clock, Entropy};
use trailkeeper_domain::error::Context;
use trailkeeper_domain::ports::{OldDeltaKey, Store};
use trailkeeper_domain::scope::Scope;
use trailkeeper_domain::time::Timestamp;
use trailkeeper_domain::{Error, Result};
use trailkeeper_postings::bits::{CHECKSUM_LEN, Reader, checksum, unzigzag};

use super::lease::{Lease, lost};
use super::merge::{self, Outcome, Period, Step};
use super::{in_row, scope_name};
use crate::sheet::{CodecError, Facet, Flaw, Fold};

/// The first byte of a payload.
const VERSION: u8 = 1;
/// The seconds of an hour.
const HOUR: i64 = 3_600;

/// The most deltas that one transaction merges.
const AT_ONCE: usize = 64;

/// Merges the deltas that a version before columnar deltas has left. No question counts them: a program that answers
/// questions must call this first, after it has migrated the database. It waits up to `patience` for another process that
/// holds the lease. Returns the number of merged deltas.
///
/// # Errors
/// Those of the store; [`Error::Internal`] for an unreadable row, which only a rebuild repairs.
pub fn settle(store: &dyn Store, clock: &dyn Clock, entropy: &dyn Entropy, patience: Duration) -> Result<u64> {
    // A database with deltas of that kind has one bucket.
    let store = &BucketStore::new(store, Bucket::FIRST);
    if (store as &dyn Store).reading(|tx| tx.old_deltas(1))?.is_empty() {
        return Ok(0);
    }
    let lease = Lease::take_within(store, clock, entropy, patience)?;
    lease.beating(|| settle_all(store, &lease))
}

fn settle_all(store: &dyn Store, lease: &Lease<'_>) -> Result<u64> {
    let mut settled = 0;
    loop {
        let old = store.reading(|tx| tx.old_deltas(AT_ONCE))?;
        if old.is_empty() {
            return Ok(settled);
        }
        settled += settle_some(store, lease, &old)?;
    }
}

/// Merges some deltas, which are in order of their scopes. Returns the number of those that are merged.
fn settle_some(store: &dyn Store, lease: &Lease<'_>, old: &[(OldDeltaKey, Vec<u8>)]) -> Result<u64> {
    let mut additions = Vec::new();
    for of_scope in old.chunk_by(|(one, _), (other, _)| one.scope == other.scope) {
        if let Some((key, _)) = of_scope.first() {
            additions.push((key.scope, addition(key.scope, of_scope)?));
        }
    }
    let Step { plan, outcomes } = store.reading(|tx| {
        let generation = tx.generation()?;
        merge::absorb(tx, generation, &additions)
    })?;
    let mut done = HashSet::new();
    for (scope, outcome) in outcomes {
        match outcome {
            Outcome::Whole => drop(done.insert(scope)),
            Outcome::Later => {}
            Outcome::Unreadable(row) => return Err(Error::internal(row)),
        }
    }
    let keys: Vec<OldDeltaKey> = old.iter().map(|(key, _)| *key).filter(|key| done.contains(&key.scope)).collect();
    let written = lease.writing(|tx| {
        plan.write(tx)?;
        tx.delete_old_deltas(&keys)
    })?;
    written.ok_or_else(lost)?;
    Ok(keys.len() as u64)
}

/// What deltas of one scope add to its sheets.
fn addition(scope: Scope, deltas: &[(OldDeltaKey, Vec<u8>)]) -> Result<Vec<Period>> {
    let level = scope.kind().finest();
    let mut folds: BTreeMap<Timestamp, Fold> = BTreeMap::new();
    for (key, payload) in deltas {
        let walked = walk(payload, |hour, sheet| {
            let fold = folds.entry(level.floor(hour)).or_insert_with(|| Fold::new(&Facet::ALL));
            fold.add(sheet).map_err(Error::internal)
        });
        let row = || format!("old delta {} of {}", key.seq, scope_name(scope));
        walked.map_err(|error| in_row(error, row))?;
    }
    Ok(merge::periods(scope.kind(), folds.into_iter().map(|(start, fold)| (start, fold.into_sheet()))))
}

/// Calls `each` with the start and the encoded sheet of every hour of a payload, ascending. The list of hours is checked
/// before the first call; a sheet is checked when it is decoded.
///
/// # Errors
/// [`Error::Internal`] for a payload that is truncated, corrupt or of an unknown version (the caller adds the row), and
/// those of `each`.
fn walk(payload: &[u8], mut each: impl FnMut(Timestamp, &[u8]) -> Result<()>) -> Result<()> {
    let (hours, mut sheets) = Hours::checked(payload).map_err(unreadable)?;
    for entry in hours {
        let (start, length) = entry.map_err(unreadable)?;
        each(start, sheets.take(length).map_err(unreadable)?)?;
    }
    Ok(())
}

fn unreadable(error: impl Into<CodecError>) -> Error {
    let error = error.into();
    Error::internal(Context::new(format!("the delta's payload is unreadable at byte {}", error.offset), error.flaw))
}

/// The list of hours and lengths at the beginning of a payload.
struct Hours<'a> {
    reader: Reader<'a>,
    left: u64,
    next: Option<i64>,
}

impl<'a> Hours<'a> {
    /// The list and a reader of the sheets after it. The checksum of the list is right, and its lengths add up to the
    /// bytes that follow.
    fn checked(payload: &'a [u8]) -> Result<(Self, Reader<'a>), CodecError> {
        let mut reader = Reader::new(payload, 0);
        let version = reader.byte()?;
        if version != VERSION {
            return Err(CodecError::new(0, Flaw::UnknownVersion(version)));
        }
        let at = reader.at();
        let count = reader.number()?;
        // An hour takes at least two bytes of the list. The check also bounds the loop below.
        if count > reader.left() as u64 / 2 {
            return Err(CodecError::new(at, Flaw::Length(count)));
        }
        let hours = Self { reader, left: count, next: None };
        let mut lengths = 0_usize;
        for _ in 0..count {
            reader.number()?;
            lengths = lengths.saturating_add(reader.length()?);
        }
        let (at, list) = (reader.at(), payload.get(..reader.at()).unwrap_or_default());
        if reader.take(CHECKSUM_LEN)? != checksum(list).to_le_bytes() {
            return Err(CodecError::new(at, Flaw::Checksum));
        }
        match reader.left().cmp(&lengths) {
            std::cmp::Ordering::Less => Err(CodecError::new(payload.len(), Flaw::Truncated)),
            std::cmp::Ordering::Equal => Ok((hours, reader)),
            std::cmp::Ordering::Greater => Err(CodecError::new(reader.at() + lengths, Flaw::Trailing)),
        }
    }

    fn entry(&mut self) -> Result<(Timestamp, usize), CodecError> {
        let at = self.reader.at();
        let number = self.reader.number()?;
        let hour = self.next.map_or_else(|| Some(unzigzag(number)), |next| next.checked_add_unsigned(number));
        let start = hour.and_then(|hour| DateTime::from_timestamp(hour.checked_mul(HOUR)?, 0));
        self.next = hour.and_then(|hour| hour.checked_add(1));
        let length = self.reader.length()?;
        start.map(|start| (start, length)).ok_or(CodecError::new(at, Flaw::IdRange))
    }
}

impl Iterator for Hours<'_> {
    type Item = Result<(Timestamp, usize), CodecError>;

    fn next(&mut self) -> Option<Self::Item> {
        self.left = self.left.checked_sub(1)?;
        Some(self.entry())
    }
}
