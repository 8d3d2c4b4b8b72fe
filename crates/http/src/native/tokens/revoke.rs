//! `DELETE /v1/tokens/{token_id}`.

use actix_web::web::Data;
use actix_web::{HttpRequest, HttpResponse};

use crate::blocking;
use crate::extract::caller::{Administer, Caller};
use crate::extract::path;
use crate::extract::query::Query;
use crate::native::problems::{CommonProblems, NotFound};
use crate::native::{acting, schemas};
use crate::refusal::Answer;
use crate::shapes::Native;
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
) -> Answer<Native> {
    Query::of(&request)?.only(&[])?;
    let id = path::credential_id(&request, "token_id")?;
    let act = acting::act(&caller.principal, &request, &state);
    blocking::run(&state, move |state| state.access().revoke_token(&act, id)).await?;
    Ok(HttpResponse::NoContent().finish())
}
