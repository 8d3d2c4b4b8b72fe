//! `DELETE /v1/tokens/{token_id}`.

use actix_web::HttpResponse;
use actix_web::web::Data;

use super::get::TokenPath;
use crate::api_error::ApiResult;
use crate::blocking;
use crate::error_formats::Native;
use crate::extract::caller::{Administer, Caller};
use crate::operation::{FromPath, operation};
use crate::problems::{CommonProblems, TokenNotFound};
use crate::state::AppState;

/// Revoke an API token.
///
/// The token becomes invalid at once, and on other servers of the same database after at most 2 seconds. The record of
/// the token stays. For a token that is already revoked, the request has no effect.
#[operation(delete, "/v1/tokens/{token_id}", tag = "tokens",
    responses((status = 204, description = "The token is revoked."), CommonProblems, TokenNotFound))]
pub async fn revoke_token(
    caller: Caller<Administer, Native>,
    FromPath(path): FromPath<TokenPath>,
    state: Data<AppState>,
) -> ApiResult<Native> {
    let context = caller.audit_context(&state);
    blocking::run(&state, move |state| state.access().revoke_token(&context, path.token_id)).await?;
    Ok(HttpResponse::NoContent().finish())
}
