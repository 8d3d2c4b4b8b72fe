//! `GET /v1/accounts/{account_id}`.

use actix_web::web::Data;
use actix_web::{HttpRequest, HttpResponse};

use crate::api_error::ApiResult;
use crate::blocking;
use crate::error_formats::Native;
use crate::extract::caller::{Administer, Caller};
use crate::extract::path;
use crate::extract::query::Query;
use crate::native::accounts::view::AccountView;
use crate::native::problems::{CommonProblems, NotFound};
use crate::native::schemas;
use crate::state::AppState;

/// Get an account.
///
/// Disabled or not. Everyone gets their own at `/v1/accounts/me`.
#[utoipa::path(get, path = "/v1/accounts/{account_id}", tag = "accounts", security(("Bearer" = [])),
    params(("account_id" = schemas::AccountId, Path, description = "The account's id.")),
    responses((status = 200, description = "The account.", body = AccountView), CommonProblems, NotFound))]
pub async fn get_account(
    _: Caller<Administer, Native>,
    request: HttpRequest,
    state: Data<AppState>,
) -> ApiResult<Native> {
    Query::of(&request)?.only(&[])?;
    let id = path::account_id(&request)?;
    let account = blocking::run(&state, move |state| state.access().account(id)).await?;
    Ok(HttpResponse::Ok().json(AccountView::from(account)))
}
