use crate::error::Result;
use crate::page::PageRuleState;

/// Read access to the rule by which pages get their keys.
pub trait PageReads {
    /// The rule of the database.
    fn page_rule(&mut self) -> Result<PageRuleState>;

    /// Whether any event has a page.
    fn has_pages(&mut self) -> Result<bool>;
}

/// Write access to the rule by which pages get their keys, and to the keys of stored events.
pub trait PageWrites {
    /// Replaces the rule. Transactions that store events end before, or use this rule.
    fn set_page_rule(&mut self, state: &PageRuleState) -> Result<()>;

    /// Excludes transactions that store events until this one ends. A no-op for a database with a single writer (SQLite).
    fn lock_page_rule(&mut self) -> Result<()>;

    /// Forgets how many pages the tenants have added on each day, so that they may add the pages of another rule.
    fn forget_new_pages(&mut self) -> Result<()>;

    /// Gives the keys of the present rule to the events with a page among at most `limit` events, those after `after`. Events that are
    /// stored meanwhile have such keys already and may be left out. Events whose page is lost with its name stay as they are.
    fn rewrite_page_keys(&mut self, after: Option<&PagePosition>, limit: usize) -> Result<RewrittenPages>;
}

/// A position in the two walks over all events in the order of storage. The second walk is about the events that count as
/// `(other)`: they come last, because the others may use up the number of new pages.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct PagePosition {
    /// Whether it is the second walk.
    pub others: bool,
    /// The number of the last event that was read.
    pub seq: i64,
    /// The number of the last event when the walks began. Later events have keys of the present rule.
    pub last: i64,
}

/// A step of the walk.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct RewrittenPages {
    /// The number of events with a page of this walk that were read.
    pub read: u64,
    /// The number of events that got another key.
    pub changed: u64,
    /// The number of events that got none, because the database has lost the name of their page.
    pub missing: u64,
    /// The position after the step; `None` if all events were read.
    pub next: Option<PagePosition>,
}
