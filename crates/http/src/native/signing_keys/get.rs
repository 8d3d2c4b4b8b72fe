//! `GET /v1/signing-keys/{signing_key_id}`.

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
use crate::native::signing_keys::view::SigningKeyView;
use crate::state::AppState;

/// Get a signing key's record.
///
/// Revoked ones too. Its secret is not shown.
#[utoipa::path(get, path = "/v1/signing-keys/{signing_key_id}", tag = "signing keys", security(("Bearer" = [])),
    params(("signing_key_id" = schemas::CredentialId, Path, description = "The key's id.")),
    responses((status = 200, description = "The record.", body = SigningKeyView), CommonProblems, NotFound))]
pub async fn get_signing_key(
    _: Caller<Administer, Native>,
    request: HttpRequest,
    state: Data<AppState>,
) -> ApiResult<Native> {
    Query::of(&request)?.only(&[])?;
    let id = path::credential_id(&request, "signing_key_id")?;
    let key = blocking::run(&state, move |state| state.access().signing_key(id)).await?;
    Ok(HttpResponse::Ok().json(SigningKeyView::from(key)))
}
