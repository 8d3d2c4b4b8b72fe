//! The use case of settling the rule of pages between a program's settings and its database.

use crate::error::Result;
use crate::page::{PageHash, PageQueries, PageRule, PageRuleState, TrailingSlash};
use crate::ports::Store;

/// The settings of a program about pages. Absent ones follow the database.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct PageSettings {
    /// Whether keys keep queries.
    pub queries: Option<PageQueries>,
    /// Whether keys keep a slash at the end of the path.
    pub trailing_slash: Option<TrailingSlash>,
    /// Whether keys keep routes in fragments.
    pub hash: Option<PageHash>,
}

/// A setting that is not the one of the database.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct PageDifference {
    /// The setting.
    pub setting: PageSetting,
    /// The value of the program.
    pub wanted: &'static str,
    /// The value of the database.
    pub stored: &'static str,
}

/// One of the settings of [`PageSettings`].
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum PageSetting {
    /// Queries.
    Queries,
    /// The slash at the end of the path.
    TrailingSlash,
    /// Routes in fragments.
    Hash,
}

impl PageSettings {
    /// The rule of the newest version with these settings; the others are those of `stored`.
    pub fn rule(&self, stored: &PageRule) -> PageRule {
        PageRule {
            version: PageRule::VERSION,
            queries: self.queries.unwrap_or(stored.queries),
            trailing_slash: self.trailing_slash.unwrap_or(stored.trailing_slash),
            hash: self.hash.unwrap_or(stored.hash),
        }
    }

    /// The settings that differ from those of `stored`. The version does not count as a setting.
    pub fn differences(&self, stored: &PageRule) -> Vec<PageDifference> {
        let wanted = self.rule(stored);
        [
            (PageSetting::Queries, wanted.queries.as_str(), stored.queries.as_str()),
            (PageSetting::TrailingSlash, wanted.trailing_slash.as_str(), stored.trailing_slash.as_str()),
            (PageSetting::Hash, wanted.hash.as_str(), stored.hash.as_str()),
        ]
        .into_iter()
        .filter(|(_, wanted, stored)| wanted != stored)
        .map(|(setting, wanted, stored)| PageDifference { setting, wanted, stored })
        .collect()
    }
}

/// The rule of the database, and the settings that differ from it: a program with such settings must not record events.
///
/// A database without any page takes the settings as they are. So does one whose keys are older than its stored rule, as
/// far as queries are concerned: an older program kept or dropped them by the same setting, and did not store it.
pub fn settle_page_rule(store: &dyn Store, wanted: &PageSettings) -> Result<(PageRuleState, Vec<PageDifference>)> {
    let settled = |state: &PageRuleState| !state.presumed && wanted.differences(&state.rule).is_empty();
    let mut state = store.reading(|tx| tx.page_rule())?;
    if !settled(&state) {
        state = store.writing(|tx| {
            // Of programs that start together, one settles the rule, and the others compare their settings with it.
            tx.lock_page_rule()?;
            let mut state = tx.page_rule()?;
            let before = state;
            if state.presumed {
                state.rule.queries = wanted.queries.unwrap_or(state.rule.queries);
                state.presumed = false;
            }
            if !state.rewriting && !settled(&state) && !tx.has_pages()? {
                state.rule = wanted.rule(&state.rule);
            }
            if state != before {
                tx.set_page_rule(&state)?;
            }
            Ok(state)
        })?;
    }
    Ok((state, wanted.differences(&state.rule)))
}
