//! The parameters `cursor` and `limit` of every list, and the page that a list returns.

use std::marker::PhantomData;

use actix_web::web::Data;
use trailkeeper_auth::Principal;
use trailkeeper_domain::Result;
use trailkeeper_domain::cursor::Paged;
use utoipa::ToSchema;

use crate::blocking;
use crate::cursors::{List, ListPosition, NextCursor};
use crate::native::schemas;
use crate::operation::{Arity, Limit, ParamValue, Parameters, QueryParams};
use crate::request::query::Query;
use crate::state::AppState;

/// The default limit of the rows of a page.
const DEFAULT_LIMIT: usize = 100;

/// The cursor and the limit of a page. `C` is the schema of the list's cursors.
pub struct Paging<C> {
    cursor: Option<String>,
    limit: usize,
    schema: PhantomData<C>,
}

impl<C: ToSchema> QueryParams for Paging<C> {
    fn declare(out: &mut Parameters) {
        let cursor = "`next_cursor` of the page before, unchanged.";
        out.add::<C>("cursor", cursor, Arity::Optional, false, None);
        let limit = "How many at most; 100 where it is not sent.";
        out.add::<schemas::PageLimit>("limit", limit, Arity::Optional, true, None);
    }

    fn read(query: &Query) -> Result<Self> {
        let cursor = query.optional("cursor")?.map(str::to_owned);
        let limit = query.optional("limit")?.map(|value| Limit::<1000>::parse("limit", value)).transpose()?;
        Ok(Self { cursor, limit: limit.map_or(DEFAULT_LIMIT, |limit| limit.0), schema: PhantomData })
    }
}

/// A page of a list.
pub struct Page<T> {
    /// The rows, at most as many as requested.
    pub items: Vec<T>,
    /// The cursor of the next page.
    pub next: NextCursor,
}

impl<C> Paging<C> {
    /// Fetches the page on a blocking thread, given the cursor and the limit.
    pub async fn page<T: Send + 'static>(
        self,
        state: &Data<AppState>,
        list: List,
        caller: &Principal,
        work: impl FnOnce(&AppState, Option<&str>, usize) -> Result<Paged<T>> + Send + 'static,
    ) -> Result<Page<T>> {
        let Self { cursor, limit, .. } = self;
        let position = ListPosition::new(cursor, "cursor", list, caller);
        blocking::run(state, move |state| {
            let cursor = position.opened(state.access())?;
            let Paged { items, next } = work(state, cursor.as_deref(), limit)?;
            Ok(Page { items, next: position.next(state.access(), next)? })
        })
        .await
    }
}

impl<T> Page<T> {
    /// The page with its items converted.
    pub fn map<U>(self, convert: impl FnMut(T) -> U) -> Page<U> {
        Page { items: self.items.into_iter().map(convert).collect(), next: self.next }
    }
}
