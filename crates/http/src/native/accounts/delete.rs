//! `DELETE /v1/accounts/{account_id}`.

use actix_web::web::Data;
use actix_web::{HttpRequest, HttpResponse};

use crate::api_error::ApiResult;
use crate::blocking;
use crate::error_formats::Native;
use crate::extract::caller::{Administer, Caller};
use crate::extract::path;
use crate::extract::query::Query;
use crate::native::problems::{CommonProblems, Conflict, NotFound};
use crate::native::schemas;
use crate::state::AppState;

/// Remove an account and its sessions.
///
/// The trail keeps its id and name. To let it come back, disable it instead. The last active administrator of all
/// tenants cannot be removed (409).
#[utoipa::path(delete, path = "/v1/accounts/{account_id}", tag = "accounts", security(("Bearer" = [])),
    params(("account_id" = schemas::AccountId, Path, description = "The account's id.")),
    responses((status = 204, description = "The account is removed."), CommonProblems, NotFound, Conflict))]
pub async fn delete_account(
    caller: Caller<Administer, Native>,
    request: HttpRequest,
    state: Data<AppState>,
) -> ApiResult<Native> {
    Query::of(&request)?.only(&[])?;
    let id = path::account_id(&request)?;
    let context = caller.audit_context(&state);
    blocking::run(&state, move |state| state.access().delete_account(&context, id)).await?;
    Ok(HttpResponse::NoContent().finish())
}
