//! `GET /v1/accounts`.

use actix_web::HttpResponse;
use actix_web::web::Data;
use serde::Serialize;
use serde_json::{Value, json};
use utoipa::ToSchema;

use crate::api_error::ApiResult;
use crate::cursors::{List, NextCursor};
use crate::error_formats::Native;
use crate::extract::caller::{Administer, Caller};
use crate::native::accounts::view::AccountView;
use crate::native::paging::Paging;
use crate::native::schemas;
use crate::operation::{FromQuery, operation};
use crate::problems::CommonProblems;
use crate::state::AppState;

/// A page of accounts.
#[derive(Serialize, ToSchema)]
#[schema(example = AccountsView::sample)]
pub struct AccountsView {
    /// The accounts, by id, which is the order of creation.
    #[schema(max_items = 1000)]
    accounts: Vec<AccountView>,
    /// The cursor of the next page; null on the last page.
    #[schema(required, value_type = Option<schemas::AccountCursor>)]
    next_cursor: NextCursor,
}

impl AccountsView {
    fn sample() -> Value {
        json!({"accounts": [AccountView::sample()], "next_cursor": null})
    }
}

/// List accounts in the order of creation.
///
/// The list includes disabled accounts. Only administrators of all tenants may list accounts.
#[operation(get, "/v1/accounts", tag = "accounts",
    responses((status = 200, description = "A page of accounts.", body = AccountsView), CommonProblems))]
pub async fn list_accounts(
    caller: Caller<Administer, Native>,
    FromQuery(paging): FromQuery<Paging<schemas::AccountCursor>>,
    state: Data<AppState>,
) -> ApiResult<Native> {
    let page = paging
        .page(&state, List::Accounts, &caller.principal, |state, cursor, limit| state.access().accounts(cursor, limit))
        .await?
        .map(AccountView::from);
    Ok(HttpResponse::Ok().json(AccountsView { accounts: page.items, next_cursor: page.next }))
}
