//! `DELETE /v1/signing-keys/{signing_key_id}`.

use actix_web::HttpResponse;
use actix_web::web::Data;

use super::get::SigningKeyPath;
use crate::api_error::ApiResult;
use crate::blocking;
use crate::error_formats::Native;
use crate::extract::caller::{Administer, Caller};
use crate::operation::{FromPath, operation};
use crate::problems::{CommonProblems, SigningKeyNotFound};
use crate::state::AppState;

/// Revoke a signing key.
///
/// The server refuses requests that are signed with the key from now on. The record of the key stays. For a key that is
/// already revoked, the request has no effect.
#[operation(delete, "/v1/signing-keys/{signing_key_id}", tag = "signing keys",
    responses((status = 204, description = "The key is revoked."), CommonProblems, SigningKeyNotFound))]
pub async fn revoke_signing_key(
    caller: Caller<Administer, Native>,
    FromPath(path): FromPath<SigningKeyPath>,
    state: Data<AppState>,
) -> ApiResult<Native> {
    let context = caller.audit_context(&state);
    blocking::run(&state, move |state| state.access().revoke_signing_key(&context, path.signing_key_id)).await?;
    Ok(HttpResponse::NoContent().finish())
}
