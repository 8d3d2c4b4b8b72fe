//! `GET /v1/sessions`.

use actix_web::web::Data;
use actix_web::{HttpRequest, HttpResponse};
use serde::Serialize;
use serde_json::{Value, json};
use trailkeeper_auth::{Permission, Principal};
use trailkeeper_domain::account::SessionFilter;
use trailkeeper_domain::id::AccountId;
use trailkeeper_domain::time::Timestamp;
use trailkeeper_domain::{Error, Result};
use utoipa::ToSchema;

use super::view::SessionView;
use crate::api_error::ApiResult;
use crate::cursors::{List, NextCursor};
use crate::error_formats::Native;
use crate::extract::caller::{Caller, PersonOrAdminister};
use crate::extract::query::Query;
use crate::native::paging_by_query::Paging;
use crate::native::problems::CommonProblems;
use crate::native::schemas;
use crate::state::AppState;

/// A page of sessions.
#[derive(Serialize, ToSchema)]
#[schema(example = SessionsView::sample)]
pub struct SessionsView {
    /// Newest first.
    #[schema(max_items = 1000)]
    sessions: Vec<SessionView>,
    /// Where the list goes on; null on the last page.
    #[schema(required, value_type = Option<schemas::SessionCursor>)]
    next_cursor: NextCursor,
}

impl SessionsView {
    fn sample() -> Value {
        json!({"sessions": [SessionView::sample()], "next_cursor": null})
    }
}

/// List sessions, newest first.
///
/// Your own live ones, whatever your role. Administrators see those of others with `account_id` or `all=true`; their
/// API tokens, which have none of their own, see all without asking. Past ones are kept for 90 days.
#[utoipa::path(get, path = "/v1/sessions", tag = "sessions", security(("Bearer" = [])),
    params(
        ("account_id" = Option<schemas::AccountId>, Query, description = "Of this account; another's for administrators alone. Not beside `all=true`."),
        ("all" = Option<bool>, Query, description = "Of all accounts; for administrators alone."),
        ("past" = Option<bool>, Query, description = "Those that ended or ran out too."),
        ("cursor" = Option<schemas::SessionCursor>, Query, description = "`next_cursor` of the page before, unchanged."),
        ("limit" = Option<i32>, Query, description = "How many at most; 100 where it is not sent.", minimum = 1, maximum = 1000),
    ),
    responses((status = 200, description = "A page of sessions.", body = SessionsView), CommonProblems))]
pub async fn list_sessions(
    caller: Caller<PersonOrAdminister, Native>,
    request: HttpRequest,
    state: Data<AppState>,
) -> ApiResult<Native> {
    let query = Query::of(&request)?.only(&["account_id", "all", "past", "cursor", "limit"])?;
    let now = state.clock().now();
    let filter = filter_of(&query, &caller.principal, now)?;
    let paging = Paging::of(&query, List::Sessions, &caller.principal)?;
    let page = paging
        .page(&state, move |state, cursor, limit| state.access().sessions(filter, cursor, limit))
        .await?
        .map(|session| SessionView::at(now, &caller.principal, session));
    Ok(HttpResponse::Ok().json(SessionsView { sessions: page.items, next_cursor: page.next }))
}

fn filter_of(query: &Query, caller: &Principal, now: Timestamp) -> Result<SessionFilter> {
    let asked = query.optional("account_id")?.map(|id| AccountId::parse("account_id", id)).transpose()?;
    let all = query.flag("all")?;
    let own = caller.account_id();
    let account_id = match (asked, all) {
        (Some(_), true) => {
            return Err(Error::invalid("account_id", "cannot be sent beside all=true; send one of the two"));
        }
        (None, true) => None,
        (asked, false) => asked.or(own),
    };
    if account_id.is_none() || account_id != own {
        caller.require(Permission::Administer)?;
    }
    Ok(SessionFilter { account_id, live_at: (!query.flag("past")?).then_some(now) })
}
