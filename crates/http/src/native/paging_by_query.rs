//! The parameters that every list takes, and the page that it answers.

use actix_web::web::Data;
use trailkeeper_auth::Principal;
use trailkeeper_domain::Result;
use trailkeeper_domain::cursor::Paged;

use crate::blocking;
use crate::cursors::{List, ListPosition};
use crate::extract::query::Query;
use crate::native::paging::Page;
use crate::state::AppState;

/// Where a list begins, and how long its page may be.
pub struct Paging {
    /// Behind `next_cursor` of the page before.
    pub position: ListPosition,
    /// 1 to 1,000.
    pub limit: usize,
}

impl Paging {
    /// Reads `cursor` and `limit`.
    pub fn of(query: &Query, list: List, caller: &Principal) -> Result<Self> {
        Ok(Self { position: ListPosition::of(query, "cursor", list, caller)?, limit: query.limit(100, 1000)? })
    }

    /// Fetches the page on a blocking thread, given the cursor and the limit.
    pub async fn page<T: Send + 'static>(
        self,
        state: &Data<AppState>,
        work: impl FnOnce(&AppState, Option<&str>, usize) -> Result<Paged<T>> + Send + 'static,
    ) -> Result<Page<T>> {
        let Self { position, limit } = self;
        blocking::run(state, move |state| {
            let cursor = position.opened(state.access())?;
            let Paged { items, next } = work(state, cursor.as_deref(), limit)?;
            Ok(Page { items, next: position.next(state.access(), next)? })
        })
        .await
    }
}
