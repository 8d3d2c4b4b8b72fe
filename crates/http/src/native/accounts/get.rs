//! `GET /v1/accounts/{account_id}`.

use actix_web::HttpResponse;
use actix_web::web::Data;
use trailkeeper_domain::id::AccountId;

use crate::api_error::ApiResult;
use crate::blocking;
use crate::error_formats::Native;
use crate::extract::caller::{Administer, Caller};
use crate::native::accounts::view::AccountView;
use crate::native::schemas;
use crate::operation::{FromPath, PathParams, operation};
use crate::problems::{AccountNotFound, CommonProblems};
use crate::state::AppState;

/// The account that a path names.
#[derive(PathParams)]
pub struct AccountPath {
    /// The account's id.
    #[param(schema = schemas::AccountId)]
    pub account_id: AccountId,
}

/// Get an account.
///
/// Disabled accounts are included. All people can get their own account at `/v1/accounts/me`.
#[operation(get, "/v1/accounts/{account_id}", tag = "accounts",
    responses((status = 200, description = "The account.", body = AccountView), CommonProblems, AccountNotFound))]
pub async fn get_account(
    _: Caller<Administer, Native>,
    FromPath(path): FromPath<AccountPath>,
    state: Data<AppState>,
) -> ApiResult<Native> {
    let account = blocking::run(&state, move |state| state.access().account(path.account_id)).await?;
    Ok(HttpResponse::Ok().json(AccountView::from(account)))
}
