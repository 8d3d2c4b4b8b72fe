//! The parameters that every list takes.

use trailkeeper_domain::Result;

use crate::extract::query::Query;

/// Where a list begins, and how long its page may be.
pub struct Paging {
    /// `next_cursor` of the page before.
    pub cursor: Option<String>,
    /// 1 to 1,000.
    pub limit: usize,
}

impl Paging {
    /// Reads `cursor` and `limit`.
    pub fn of(query: &Query) -> Result<Self> {
        Ok(Self { cursor: query.optional("cursor")?.map(str::to_owned), limit: query.limit(100, 1000)? })
    }
}
