//! `GET /v1/accounts`.

use actix_web::web::Data;
use actix_web::{HttpRequest, HttpResponse};
use serde::Serialize;
use serde_json::{Value, json};
use utoipa::ToSchema;

use crate::api_error::ApiResult;
use crate::cursors::{List, NextCursor};
use crate::error_formats::Native;
use crate::extract::caller::{Administer, Caller};
use crate::extract::query::Query;
use crate::native::accounts::view::AccountView;
use crate::native::paging_by_query::Paging;
use crate::native::problems::CommonProblems;
use crate::native::schemas;
use crate::state::AppState;

/// A page of accounts.
#[derive(Serialize, ToSchema)]
#[schema(example = AccountsView::sample)]
pub struct AccountsView {
    /// By id, which is the order in which they were made.
    #[schema(max_items = 1000)]
    accounts: Vec<AccountView>,
    /// Where the list goes on; null on the last page.
    #[schema(required, value_type = Option<schemas::AccountCursor>)]
    next_cursor: NextCursor,
}

impl AccountsView {
    fn sample() -> Value {
        json!({"accounts": [AccountView::sample()], "next_cursor": null})
    }
}

/// List accounts in the order in which they were made.
///
/// Disabled ones too. Administrators alone may, those of all tenants.
#[utoipa::path(get, path = "/v1/accounts", tag = "accounts", security(("Bearer" = [])),
    params(
        ("cursor" = Option<schemas::AccountCursor>, Query, description = "`next_cursor` of the page before, unchanged."),
        ("limit" = Option<i32>, Query, description = "How many at most; 100 where it is not sent.", minimum = 1, maximum = 1000),
    ),
    responses((status = 200, description = "A page of accounts.", body = AccountsView), CommonProblems))]
pub async fn list_accounts(
    caller: Caller<Administer, Native>,
    request: HttpRequest,
    state: Data<AppState>,
) -> ApiResult<Native> {
    let query = Query::of(&request)?.only(&["cursor", "limit"])?;
    let paging = Paging::of(&query, List::Accounts, &caller.principal)?;
    let page = paging
        .page(&state, move |state, cursor, limit| state.access().accounts(cursor, limit))
        .await?
        .map(AccountView::from);
    Ok(HttpResponse::Ok().json(AccountsView { accounts: page.items, next_cursor: page.next }))
}
