//! `DELETE /v1/accounts/{account_id}`.

use actix_web::HttpResponse;
use actix_web::web::Data;

use super::get::AccountPath;
use crate::api_error::ApiResult;
use crate::blocking;
use crate::error_formats::Native;
use crate::extract::caller::{Administer, Caller};
use crate::operation::{FromPath, operation};
use crate::problems::{AccountNotFound, CommonProblems, LastAdministrator};
use crate::state::AppState;

/// Remove an account and its sessions.
///
/// The audit trail keeps the account's id and name. To be able to restore the account later, disable it instead. The
/// last active administrator of all tenants cannot be removed (409).
#[operation(delete, "/v1/accounts/{account_id}", tag = "accounts",
    responses((status = 204, description = "The account is removed."), CommonProblems, AccountNotFound, LastAdministrator))]
pub async fn delete_account(
    caller: Caller<Administer, Native>,
    FromPath(path): FromPath<AccountPath>,
    state: Data<AppState>,
) -> ApiResult<Native> {
    let context = caller.audit_context(&state);
    blocking::run(&state, move |state| state.access().delete_account(&context, path.account_id)).await?;
    Ok(HttpResponse::NoContent().finish())
}
