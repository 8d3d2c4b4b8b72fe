use std::collections::HashMap;

use uuid::Uuid;

use crate::error::Result;
use crate::fact::EventFact;
use crate::id::{TenantId, UserId};
use crate::scope::{Level, Part, Scope};
use crate::time::{TimeRange, Timestamp};

/// Turns new events into what is stored beside them. `trailkeeper-analytics` implements it; a store asks
/// it inside the transaction that inserts the events, so that no event is ever without its delta.
pub trait Summarizer: Send + Sync {
    /// One delta per scope that the events touch, each scope once. Empty for no facts.
    fn deltas(&self, facts: &[EventFact]) -> Vec<NewDelta>;
}

/// The summary of one batch for one scope, not merged yet. The payload's form is the summarizer's own.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NewDelta {
    /// Whom it is about.
    pub scope: Scope,
    /// `{hour → sheet}`, encoded.
    pub payload: Vec<u8>,
}

/// Where a delta lies.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct DeltaKey {
    /// Whom it is about.
    pub scope: Scope,
    /// Its number: unique inside its scope.
    pub seq: i64,
}

/// How much of a scope waits to be merged.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Pending {
    /// The scope.
    pub scope: Scope,
    /// How many deltas.
    pub deltas: u64,
    /// Their payloads, in bytes.
    pub bytes: u64,
}

/// Where a sheet lies. A period may have several runs: they are folded together, and merged by size.
///
/// Inside a generation a key names the same content for all time: [`SheetWrites::put_sheets`] promises it. So what was
/// made of sheets can be remembered by their keys.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct SheetKey {
    /// Whom it is about.
    pub scope: Scope,
    /// How long its period is.
    pub level: Level,
    /// Which half it is.
    pub part: Part,
    /// Where its period begins.
    pub start: Timestamp,
    /// Which of the runs: unique inside scope, level, part and start, also among those that are gone.
    pub run: u32,
}

impl SheetKey {
    /// The place of which it is a run.
    pub fn period(self) -> SheetPeriod {
        let Self { scope, level, part, start, run: _ } = self;
        SheetPeriod { scope, level, part, start }
    }
}

/// One half of the sheets of one period: all its runs.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct SheetPeriod {
    /// Whom they are about.
    pub scope: Scope,
    /// How long the period is.
    pub level: Level,
    /// Which half.
    pub part: Part,
    /// Where the period begins.
    pub start: Timestamp,
}

impl SheetPeriod {
    /// The key of one of its runs.
    pub fn run(self, run: u32) -> SheetKey {
        let Self { scope, level, part, start } = self;
        SheetKey { scope, level, part, start, run }
    }
}

/// Which sheets.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct SheetQuery {
    /// Of whom.
    pub scopes: Scopes,
    /// Of which periods.
    pub level: Level,
    /// Which half.
    pub part: Part,
    /// Periods that begin in it.
    pub starts: TimeRange,
}

/// Whose sheets or deltas.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Scopes {
    /// Of one scope.
    One(Scope),
    /// Of every tenant, each apart.
    EveryTenant,
}

/// Sheets, deltas and the facts under them, read. All of one snapshot, as everything in a transaction.
pub trait SheetReads {
    /// The facts of a range, in order of time: of one tenant or, for everyone, of all customers. The
    /// system tenant's events are never among them.
    fn facts(&mut self, scope: Scope, range: TimeRange, each: &mut dyn FnMut(&EventFact) -> Result<()>) -> Result<()>;

    /// The facts of one user in a range, in order of time; `tenant` narrows them to that one.
    fn facts_of_user(
        &mut self,
        user: &UserId,
        tenant: Option<TenantId>,
        range: TimeRange,
        each: &mut dyn FnMut(&EventFact) -> Result<()>,
    ) -> Result<()>;

    /// The first and the last time of a user's events; `None` where there are none.
    fn span_of_user(&mut self, user: &UserId, tenant: Option<TenantId>) -> Result<Option<(Timestamp, Timestamp)>>;

    /// The first and the last time of all customers' events; `None` where there are none.
    fn span(&mut self) -> Result<Option<(Timestamp, Timestamp)>>;

    /// The sheets of the current generation: of one scope by start and run; of every tenant by start, and in each
    /// period tenant by tenant, in any order of tenants, by run.
    fn sheets(&mut self, query: &SheetQuery, each: &mut dyn FnMut(SheetKey, &[u8]) -> Result<()>) -> Result<()>;

    /// The keys of the sheets that [`Self::sheets`] gives of one scope, in the same order, without their payloads: all
    /// that is read is an index.
    fn sheet_keys(&mut self, scope: Scope, level: Level, part: Part, starts: TimeRange) -> Result<Vec<SheetKey>>;

    /// The deltas that wait, by scope and number.
    fn deltas(&mut self, scopes: Scopes, each: &mut dyn FnMut(DeltaKey, &[u8]) -> Result<()>) -> Result<()>;

    /// The deltas of these scopes that wait, by scope and number.
    fn deltas_of(&mut self, scopes: &[Scope], each: &mut dyn FnMut(DeltaKey, &[u8]) -> Result<()>) -> Result<()>;

    /// Which scopes have deltas that wait, most bytes first, at most `limit`.
    fn pending(&mut self, limit: usize) -> Result<Vec<Pending>>;

    /// The runs at these places in a generation, by key, with their payloads' lengths in bytes.
    fn runs(&mut self, generation: i64, periods: &[SheetPeriod]) -> Result<Vec<(SheetKey, u64)>>;

    /// These sheets of a generation. One that is not there is left out. All of them are in memory at once: the caller
    /// asks for no more than it has room for, which [`Self::runs`] tells it.
    fn sheets_by_key(&mut self, generation: i64, keys: &[SheetKey]) -> Result<HashMap<SheetKey, Vec<u8>>>;

    /// The generation that answers questions.
    fn generation(&mut self) -> Result<i64>;

    /// Which line of commits this transaction is in: a number that no other line of this process has. A store begins a
    /// new one when its database went away, as what came back may lack commits that were seen before. What is
    /// remembered by keys holds inside one line alone.
    fn epoch(&self) -> u64;

    /// Who has the lease `name`, and until when: it may have run out. `None` when it was never taken, or given back.
    fn lease(&mut self, name: &str) -> Result<Option<(Uuid, Timestamp)>>;

    /// The page keys of these ids. An id that is not there is left out.
    fn page_keys(&mut self, ids: &[u32]) -> Result<HashMap<u32, String>>;

    /// The event types of these ids. An id that is not there is left out.
    fn kind_names(&mut self, ids: &[u32]) -> Result<HashMap<u32, String>>;

    /// The addresses of these ordinals, in their usual spelling. An ordinal that is not there is left out.
    fn source_names(&mut self, ordinals: &[u32]) -> Result<HashMap<u32, String>>;
}

/// Sheets and deltas, written: by the merger and by a rebuild, each under the lease.
pub trait SheetWrites {
    /// Takes the lease `name` for `holder` until `until`. `false` when somebody else has it and it has not
    /// run out at `now`.
    ///
    /// A lease that ends more than ten minutes after `until` was taken by a clock that is wrong, or was when it was
    /// taken: it counts as run out. Otherwise a server that dies with its clock hours ahead keeps the lease for hours.
    fn take_lease(&mut self, name: &str, holder: Uuid, now: Timestamp, until: Timestamp) -> Result<bool>;

    /// Prolongs the lease until `until`. `false` when `holder` does not have it any more.
    ///
    /// Whoever writes sheets calls it in the same transaction and writes nothing on `false`: what was
    /// computed before the lease was lost must not be committed, although it may be free again.
    fn keep_lease(&mut self, name: &str, holder: Uuid, until: Timestamp) -> Result<bool>;

    /// Gives the lease back, where `holder` has it.
    fn release_lease(&mut self, name: &str, holder: Uuid) -> Result<()>;

    /// Writes sheets. There must be none with these keys, and once the generation has answered questions, there must
    /// never have been any: servers remember what they made of sheets by the keys, for as long as they run. A run
    /// greater than all that stand, and than those that are removed in the same transaction, is new.
    fn put_sheets(&mut self, generation: i64, sheets: &[(SheetKey, Vec<u8>)]) -> Result<()>;

    /// Removes sheets. Those that are not there are passed over. Whoever removes the greatest run of a place puts a
    /// greater one there in the same transaction: by the runs that stand it is known which numbers were used.
    fn delete_sheets(&mut self, generation: i64, keys: &[SheetKey]) -> Result<()>;

    /// Removes deltas that were merged.
    fn delete_deltas(&mut self, keys: &[DeltaKey]) -> Result<()>;

    /// Makes a generation the one that answers questions: always one that never was it before.
    fn set_generation(&mut self, generation: i64) -> Result<()>;

    /// Removes up to `limit` sheets of generations other than the current one and `keep`; how many it were.
    fn delete_other_generations(&mut self, keep: Option<i64>, limit: usize) -> Result<u64>;
}
