//! `GET /v1/accounts/me`.

use actix_web::HttpResponse;
use actix_web::web::Data;

use crate::api_error::ApiResult;
use crate::blocking;
use crate::error_formats::Native;
use crate::extract::caller::{Caller, Person};
use crate::native::accounts::view::AccountView;
use crate::native::own;
use crate::operation::operation;
use crate::problems::CommonProblems;
use crate::state::AppState;

/// Get your own account.
///
/// Every role may use this operation, with the access token of a login. Programs have no account (403).
#[operation(get, "/v1/accounts/me", tag = "accounts",
    responses((status = 200, description = "Your account.", body = AccountView), CommonProblems))]
pub async fn get_own_account(caller: Caller<Person, Native>, state: Data<AppState>) -> ApiResult<Native> {
    let own = own::of(&caller.principal)?;
    let account = blocking::run(&state, move |state| state.access().account(own.account_id)).await?;
    Ok(HttpResponse::Ok().json(AccountView::from(account)))
}
