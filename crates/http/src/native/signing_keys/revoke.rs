//! `DELETE /v1/signing-keys/{signing_key_id}`.

use actix_web::web::Data;
use actix_web::{HttpRequest, HttpResponse};

use crate::api_error::ApiResult;
use crate::blocking;
use crate::error_formats::Native;
use crate::extract::caller::{Administer, Caller};
use crate::extract::path;
use crate::extract::query::Query;
use crate::native::problems::{CommonProblems, NotFound};
use crate::native::schemas;
use crate::state::AppState;

/// Revoke a signing key.
///
/// What is signed with it is refused from now on. Its record stays. Nothing happens when it is revoked already.
#[utoipa::path(delete, path = "/v1/signing-keys/{signing_key_id}", tag = "signing keys", security(("Bearer" = [])),
    params(("signing_key_id" = schemas::CredentialId, Path, description = "The key's id.")),
    responses((status = 204, description = "The key is revoked."), CommonProblems, NotFound))]
pub async fn revoke_signing_key(
    caller: Caller<Administer, Native>,
    request: HttpRequest,
    state: Data<AppState>,
) -> ApiResult<Native> {
    Query::of(&request)?.only(&[])?;
    let id = path::credential_id(&request, "signing_key_id")?;
    let context = caller.audit_context(&state);
    blocking::run(&state, move |state| state.access().revoke_signing_key(&context, id)).await?;
    Ok(HttpResponse::NoContent().finish())
}
