use std::collections::HashMap;

use crate::error::Result;
use crate::event::EventKind;
use crate::fact::EventFact;
use crate::id::{LegalHoldId, UserId};
use crate::retention::{LegalHold, RetentionRule};
use crate::scope::{Level, Scope};
use crate::time::TimeRange;

use super::postings::PostingRunKey;
use super::sheets::SheetKey;

/// Read access to rules of retention, legal holds, and what removals need.
///
/// The sheets of removed events that are still counted lie in generations below 0: one for each length of time for which
/// sheets are kept.
pub trait RetentionReads {
    /// All rules, removed ones included, in the order of ids.
    fn retention_rules(&mut self) -> Result<Vec<RetentionRule>>;

    /// At most `limit` holds in ascending order of id, after `after`.
    fn legal_holds(&mut self, after: Option<LegalHoldId>, limit: usize) -> Result<Vec<LegalHold>>;

    /// The ids of these types in the store's dictionary. The result omits unknown ones.
    fn kind_ids(&mut self, kinds: &[EventKind]) -> Result<HashMap<EventKind, u32>>;

    /// The ordinals of these users. The result omits unknown ones.
    fn user_ordinals(&mut self, users: &[UserId]) -> Result<HashMap<UserId, u32>>;

    /// The sheets of removed events of all scopes that begin in `starts`, with their generations: in the order of
    /// generations, scopes, and keys.
    fn sheets_of_removed(&mut self, starts: TimeRange) -> Result<Vec<(i64, SheetKey)>>;

    /// Whether a scope has a sheet of removed events of this level that begins in `starts`.
    fn has_removed(&mut self, scope: Scope, level: Level, starts: TimeRange) -> Result<bool>;

    /// Calls `each` for every fact in a range that the runs of the current generation have, in order of time: those of the
    /// waiting deltas are left out. Events of the system tenant are never included.
    fn merged_facts(
        &mut self,
        scope: Scope,
        range: TimeRange,
        each: &mut dyn FnMut(&EventFact) -> Result<()>,
    ) -> Result<()>;
}

/// Write access to rules of retention and legal holds, and the removal of events.
pub trait RetentionWrites {
    /// Waits until no other transaction changes holds or removes events, and blocks others until this one ends.
    fn lock_retention(&mut self) -> Result<()>;

    /// Stores a rule in place of the one with its id. No other rule may have its subject.
    fn put_retention_rule(&mut self, rule: &RetentionRule) -> Result<()>;

    /// Adds a hold.
    fn insert_legal_hold(&mut self, hold: &LegalHold) -> Result<()>;

    /// Removes a hold; `false` if it does not exist.
    fn delete_legal_hold(&mut self, id: LegalHoldId) -> Result<bool>;

    /// Removes the events with these numbers. Returns the number of removed ones.
    fn delete_events(&mut self, seqs: &[i64]) -> Result<u64>;

    /// Replaces the removed positions of a run of the index of events; `false` if the run does not exist. The caller holds
    /// the lease on the sheets.
    fn put_removed_positions(&mut self, generation: i64, key: PostingRunKey, removed: &[u8]) -> Result<bool>;
}
