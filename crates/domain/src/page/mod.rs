//! Pages: stored as they were sent, grouped by their keys.

mod escapes;
mod key;
mod rule;
mod sent;

pub use key::MAX_PAGE;
pub use rule::{PageHash, PageQueries, PageRule, PageRuleState, TrailingSlash};
pub use sent::Page;
