//! `DELETE /v1/tokens/{token_id}`.

use actix_web::web::Data;
use actix_web::{HttpRequest, HttpResponse};

use crate::api_error::ApiResult;
use crate::blocking;
use crate::error_formats::Native;
use crate::extract::caller::{Administer, Caller};
use crate::extract::path;
use crate::extract::query::Query;
use crate::native::problems::{CommonProblems, NotFound};
use crate::native::{audit_context, schemas};
use crate::state::AppState;

/// Revoke an API token.
///
/// It holds no longer, on other servers of the same database after at most 5 seconds. Its record stays. Nothing
/// happens when it is revoked already.
#[utoipa::path(delete, path = "/v1/tokens/{token_id}", tag = "tokens", security(("Bearer" = [])),
    params(("token_id" = schemas::CredentialId, Path, description = "The token's id.")),
    responses((status = 204, description = "The token is revoked."), CommonProblems, NotFound))]
pub async fn revoke_token(
    caller: Caller<Administer, Native>,
    request: HttpRequest,
    state: Data<AppState>,
) -> ApiResult<Native> {
    Query::of(&request)?.only(&[])?;
    let id = path::credential_id(&request, "token_id")?;
    let context = audit_context::of_caller(&caller.principal, &request, &state);
    blocking::run(&state, move |state| state.access().revoke_token(&context, id)).await?;
    Ok(HttpResponse::NoContent().finish())
}
