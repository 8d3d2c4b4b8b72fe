use std::collections::{BTreeSet, HashMap};

use uuid::Uuid;

use crate::error::Result;
use crate::fact::EventFact;
use crate::id::{TenantId, UserId};
use crate::scope::{Level, Part, Scope};
use crate::time::{TimeRange, Timestamp};

/// A delta that waits to be merged: the columns of the events that one transaction stored. `trailkeeper-postings` defines
/// the format of the payload. A store writes it with the events, so that no event is ever without its delta.
#[derive(Debug, Clone, Copy)]
pub struct WaitingDelta<'a> {
    /// The number of the delta, which no other delta ever has.
    pub number: i64,
    /// The encoded columns.
    pub payload: &'a [u8],
    /// The scopes whose sheets count its events already. Its other scopes do not count them yet.
    pub merged: &'a BTreeSet<Scope>,
}

/// The number and size of a delta.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct DeltaSize {
    /// The number of the delta.
    pub number: i64,
    /// The number of its events.
    pub events: u64,
    /// The size of its payload in bytes.
    pub bytes: u64,
}

/// What waits to be merged.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Backlog {
    /// The number of deltas that no pass has claimed.
    pub deltas: u64,
    /// The number of their events.
    pub events: u64,
}

/// A merge of many scopes that is not finished: it takes several transactions.
///
/// The first one claims deltas, each one merges some scopes and marks them, and the last one removes the deltas, the marks
/// and the pass.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct MergePass {
    /// The number of the pass, unique among the passes that are not finished.
    pub number: i64,
    /// The numbers of the claimed deltas, ascending.
    pub deltas: Vec<i64>,
    /// The scopes whose sheets count the events of these deltas.
    pub merged: BTreeSet<Scope>,
}

/// The key of a delta of a program before version 2 of deltas: the summary of one batch for one scope.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct OldDeltaKey {
    /// The scope of the delta.
    pub scope: Scope,
    /// The number of the delta, unique inside its scope.
    pub seq: i64,
}

/// The key of a sheet. A period may have several runs. Readers fold them together, and merges combine them by size.
///
/// Inside a generation, a key identifies the same content forever: [`SheetWrites::put_sheets`] guarantees it. Therefore
/// results that were computed from sheets can be cached by the keys of the sheets.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct SheetKey {
    /// The scope of the sheet.
    pub scope: Scope,
    /// The length of the period of the sheet.
    pub level: Level,
    /// The part of the sheet: totals or pages.
    pub part: Part,
    /// The start of the period.
    pub start: Timestamp,
    /// The number of the run. Unique inside scope, level, part and start, also among removed runs.
    pub run: u32,
}

impl SheetKey {
    /// The period to which this run belongs.
    pub fn period(self) -> SheetPeriod {
        let Self { scope, level, part, start, run: _ } = self;
        SheetPeriod { scope, level, part, start }
    }
}

/// One part of the sheets of one period, with all runs.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct SheetPeriod {
    /// The scope of the sheets.
    pub scope: Scope,
    /// The length of the period.
    pub level: Level,
    /// The part of the sheets: totals or pages.
    pub part: Part,
    /// The start of the period.
    pub start: Timestamp,
}

impl SheetPeriod {
    /// The key of the run with this number.
    pub fn run(self, run: u32) -> SheetKey {
        let Self { scope, level, part, start } = self;
        SheetKey { scope, level, part, start, run }
    }
}

/// A selection of sheets.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct SheetQuery {
    /// The scopes of the sheets.
    pub scopes: Scopes,
    /// The length of the periods.
    pub level: Level,
    /// The part of the sheets: totals or pages.
    pub part: Part,
    /// The range in which the periods begin.
    pub starts: TimeRange,
}

/// The scopes of a selection of sheets.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Scopes {
    /// One scope.
    One(Scope),
    /// The scope of every tenant, each separately.
    EveryTenant,
}

/// Read access to sheets, deltas and the facts from which they were made. All reads of a transaction see one snapshot.
pub trait SheetReads {
    /// Calls `each` for every fact in a range, in order of time. The facts are those of one tenant or, for the scope of
    /// everyone, those of all customers. Events of the system tenant are never included.
    fn facts(&mut self, scope: Scope, range: TimeRange, each: &mut dyn FnMut(&EventFact) -> Result<()>) -> Result<()>;

    /// Calls `each` for every fact of one user in a range, in order of time. `tenant` narrows the facts to that tenant.
    fn facts_of_user(
        &mut self,
        user: &UserId,
        tenant: Option<TenantId>,
        range: TimeRange,
        each: &mut dyn FnMut(&EventFact) -> Result<()>,
    ) -> Result<()>;

    /// The times of the first and the last event of a user; `None` without events.
    fn span_of_user(&mut self, user: &UserId, tenant: Option<TenantId>) -> Result<Option<(Timestamp, Timestamp)>>;

    /// The times of the first and the last event of all customers; `None` without events.
    fn span(&mut self) -> Result<Option<(Timestamp, Timestamp)>>;

    /// Calls `each` for every selected sheet of the current generation.
    ///
    /// The sheets of one scope are sorted by start, then by run. The sheets of every tenant are sorted by start; inside
    /// a period, the sheets of each tenant come together, sorted by run, and the order of tenants is undefined.
    fn sheets(&mut self, query: &SheetQuery, each: &mut dyn FnMut(SheetKey, &[u8]) -> Result<()>) -> Result<()>;

    /// The keys of the sheets of one scope, in the order of [`Self::sheets`]. This reads only an index and no payloads.
    fn sheet_keys(&mut self, scope: Scope, level: Level, part: Part, starts: TimeRange) -> Result<Vec<SheetKey>>;

    /// Calls `each` with the counts of all tenants in each period of the current generation that begins in the range and has
    /// them, in ascending order: the start of the period and the payload.
    ///
    /// They are the counts of exactly the tenants' totals of the period that this snapshot has: writing or removing one of
    /// those sheets removes them.
    fn tenant_counts(
        &mut self,
        level: Level,
        starts: TimeRange,
        each: &mut dyn FnMut(Timestamp, &[u8]) -> Result<()>,
    ) -> Result<()>;

    /// The starts of all periods that have counts of all tenants in the current generation, in ascending order.
    fn counted_periods(&mut self, level: Level) -> Result<Vec<Timestamp>>;

    /// Calls `each` for every delta whose events the sheets of this scope do not count yet, in ascending order of numbers.
    /// `merged` is empty.
    fn deltas(&mut self, scope: Scope, each: &mut dyn FnMut(WaitingDelta<'_>) -> Result<()>) -> Result<()>;

    /// Calls `each` for every delta, in ascending order of numbers.
    fn all_deltas(&mut self, each: &mut dyn FnMut(WaitingDelta<'_>) -> Result<()>) -> Result<()>;

    /// What waits and is not claimed by a pass.
    fn backlog(&mut self) -> Result<Backlog>;

    /// At most `limit` deltas with greater numbers than `after` that no pass has claimed, in ascending order of numbers.
    fn unclaimed_deltas(&mut self, after: i64, limit: usize) -> Result<Vec<DeltaSize>>;

    /// The payloads of the deltas with these numbers, in ascending order of numbers. The result omits numbers that do not
    /// exist. All payloads are in memory at once, so the caller must limit their size.
    fn deltas_by_number(&mut self, numbers: &[i64]) -> Result<Vec<(i64, Vec<u8>)>>;

    /// The passes that are not finished, in ascending order of numbers.
    fn merge_passes(&mut self) -> Result<Vec<MergePass>>;

    /// At most `limit` deltas of version 1 that an older program left, by scope, then by number.
    fn old_deltas(&mut self, limit: usize) -> Result<Vec<(OldDeltaKey, Vec<u8>)>>;

    /// The runs of these periods in a generation, sorted by key, with the lengths of their payloads in bytes.
    fn runs(&mut self, generation: i64, periods: &[SheetPeriod]) -> Result<Vec<(SheetKey, u64)>>;

    /// The sheets of a generation with these keys. The result omits keys that do not exist. All returned sheets are in
    /// memory at once, so the caller must limit their size; [`Self::runs`] returns the sizes.
    fn sheets_by_key(&mut self, generation: i64, keys: &[SheetKey]) -> Result<HashMap<SheetKey, Vec<u8>>>;

    /// The generation that answers questions.
    fn generation(&mut self) -> Result<i64>;

    /// The epoch of this transaction: a number that identifies one unbroken line of commits in this process.
    ///
    /// A store begins a new epoch after its database was unreachable, because the database may have lost commits that
    /// were seen before. Results that are cached by keys are valid only within one epoch.
    fn epoch(&self) -> u64;

    /// The holder of the lease `name` and its expiry, which may have passed. `None` if the lease was never taken or was
    /// released.
    fn lease(&mut self, name: &str) -> Result<Option<(Uuid, Timestamp)>>;

    /// The page keys with these ids. The result omits ids that do not exist.
    ///
    /// [`crate::Error::Overloaded`] while keys are rewritten: then events and sheets have keys of two rules, and no
    /// answer may add them up. Each answer about pages needs this method.
    fn page_keys(&mut self, ids: &[u32]) -> Result<HashMap<u32, String>>;

    /// The event types with these ids. The result omits ids that do not exist.
    fn kind_names(&mut self, ids: &[u32]) -> Result<HashMap<u32, String>>;

    /// The addresses with these ordinals, in the usual notation. The result omits ordinals that do not exist.
    fn source_names(&mut self, ordinals: &[u32]) -> Result<HashMap<u32, String>>;
}

/// Write access to sheets and deltas. The merger and a rebuild use it; each must hold the lease.
pub trait SheetWrites {
    /// Takes the lease `name` for `holder` until `until`. `false` if another holder has it and it is not expired at
    /// `now`.
    ///
    /// A lease that ends more than ten minutes after `until` counts as expired: it was taken with a clock that is wrong
    /// or was wrong at that time. Otherwise a server that dies with its clock hours ahead would keep the lease for
    /// hours.
    fn take_lease(&mut self, name: &str, holder: Uuid, now: Timestamp, until: Timestamp) -> Result<bool>;

    /// Prolongs the lease until `until`. `false` if `holder` does not have it any more.
    ///
    /// A writer of sheets must call this in the same transaction and must write nothing on `false`. Results that were
    /// computed before the lease was lost must not be committed, even if the lease is free again.
    fn keep_lease(&mut self, name: &str, holder: Uuid, until: Timestamp) -> Result<bool>;

    /// Releases the lease, if `holder` has it.
    fn release_lease(&mut self, name: &str, holder: Uuid) -> Result<()>;

    /// Writes new sheets. Sheets with these keys must not exist. After the generation has answered questions, they must
    /// never have existed: servers cache results by the keys of the sheets for as long as they run.
    ///
    /// A run is new if its number is greater than those of all existing runs and of the runs that the same transaction
    /// removes.
    fn put_sheets(&mut self, generation: i64, sheets: &[(SheetKey, Vec<u8>)]) -> Result<()>;

    /// Removes sheets. Keys that do not exist are skipped.
    ///
    /// A transaction that removes the greatest run of a period must also write a greater one, because the existing runs
    /// are the only record of the numbers that were used.
    fn delete_sheets(&mut self, generation: i64, keys: &[SheetKey]) -> Result<()>;

    /// Stores the counts of all tenants in a day or month that has none. They must be those of the sheets that the period
    /// has in this transaction.
    fn put_tenant_counts(&mut self, generation: i64, level: Level, start: Timestamp, payload: &[u8]) -> Result<()>;

    /// Begins a pass that claims these deltas. Returns its number.
    fn begin_merge_pass(&mut self, deltas: &[i64]) -> Result<i64>;

    /// Marks scopes whose sheets count the events of the pass from this transaction on.
    fn mark_merged(&mut self, pass: i64, scopes: &[Scope]) -> Result<()>;

    /// Removes passes with their marks. Their deltas stay.
    fn end_merge_passes(&mut self, passes: &[i64]) -> Result<()>;

    /// Removes deltas whose events the sheets of all scopes count.
    fn delete_deltas(&mut self, numbers: &[i64]) -> Result<()>;

    /// Removes deltas of version 1 that were merged.
    fn delete_old_deltas(&mut self, keys: &[OldDeltaKey]) -> Result<()>;

    /// Makes a generation the current one, which answers questions. It must never have been the current one before.
    /// `has_postings`: its runs of the index of events, with the waiting deltas, contain all events.
    fn set_generation(&mut self, generation: i64, has_postings: bool) -> Result<()>;

    /// Removes at most `limit` sheets, runs of the index of events, and their pages, of generations other than the current
    /// one and `keep`. Returns the number of removed ones.
    fn delete_other_generations(&mut self, keep: Option<i64>, limit: usize) -> Result<u64>;
}
