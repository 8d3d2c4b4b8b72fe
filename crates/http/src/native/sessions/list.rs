//! `GET /v1/sessions`.

use actix_web::HttpResponse;
use actix_web::web::Data;
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
use crate::native::paging::Paging;
use crate::native::schemas;
use crate::operation::{FromQuery, QueryParams, operation};
use crate::problems::CommonProblems;
use crate::state::AppState;

/// The filters of a list of sessions.
#[derive(QueryParams)]
pub struct SessionListParams {
    /// Only sessions of this account. Only administrators see sessions of other accounts. Cannot be combined with
    /// `all=true`.
    #[param(schema = schemas::AccountId)]
    account_id: Option<AccountId>,
    /// Whether to list the sessions of all accounts; only for administrators.
    #[param(schema = bool, inline)]
    all: Option<bool>,
    /// Whether to include sessions that ended or expired.
    #[param(schema = bool, inline)]
    past: Option<bool>,
    #[param(flatten)]
    paging: Paging<schemas::SessionCursor>,
}

impl SessionListParams {
    fn filter(&self, caller: &Principal, now: Timestamp) -> Result<SessionFilter> {
        let own = caller.account_id();
        let account_id = match (self.account_id, self.all == Some(true)) {
            (Some(_), true) => {
                return Err(Error::invalid("account_id", "cannot be combined with all=true; send one of the two"));
            }
            (None, true) => None,
            (asked, false) => asked.or(own),
        };
        if account_id.is_none() || account_id != own {
            caller.require(Permission::Administer)?;
        }
        Ok(SessionFilter { account_id, live_at: (self.past != Some(true)).then_some(now) })
    }
}

/// A page of sessions.
#[derive(Serialize, ToSchema)]
#[schema(example = SessionsView::sample)]
pub struct SessionsView {
    /// The sessions, newest first.
    #[schema(max_items = 1000)]
    sessions: Vec<SessionView>,
    /// The cursor of the next page; null on the last page.
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
/// Every role can list its own live sessions. Administrators see sessions of other accounts with `account_id` or
/// `all=true`. Administrators' API tokens have no sessions and see all sessions by default. Past sessions are kept for
/// 90 days.
#[operation(get, "/v1/sessions", tag = "sessions",
    responses((status = 200, description = "A page of sessions.", body = SessionsView), CommonProblems))]
pub async fn list_sessions(
    caller: Caller<PersonOrAdminister, Native>,
    FromQuery(params): FromQuery<SessionListParams>,
    state: Data<AppState>,
) -> ApiResult<Native> {
    let now = state.clock().now();
    let filter = params.filter(&caller.principal, now)?;
    let page = params
        .paging
        .page(&state, List::Sessions, &caller.principal, move |state, cursor, limit| {
            state.access().sessions(filter, cursor, limit)
        })
        .await?
        .map(|session| SessionView::at(now, &caller.principal, session));
    Ok(HttpResponse::Ok().json(SessionsView { sessions: page.items, next_cursor: page.next }))
}
