//! `GET /v1/signing-keys/{signing_key_id}`.

use actix_web::HttpResponse;
use actix_web::web::Data;
use trailkeeper_domain::id::CredentialId;

use crate::api_error::ApiResult;
use crate::blocking;
use crate::error_formats::Native;
use crate::extract::caller::{Administer, Caller};
use crate::native::schemas;
use crate::native::signing_keys::view::SigningKeyView;
use crate::operation::{FromPath, PathParams, operation};
use crate::problems::{CommonProblems, SigningKeyNotFound};
use crate::state::AppState;

/// The signing key that a path names.
#[derive(PathParams)]
pub struct SigningKeyPath {
    /// The key's id.
    #[param(schema = schemas::CredentialId)]
    pub signing_key_id: CredentialId,
}

/// Get a signing key's record.
///
/// Revoked keys are included. The secret is not shown.
#[operation(get, "/v1/signing-keys/{signing_key_id}", tag = "signing keys",
    responses((status = 200, description = "The record.", body = SigningKeyView), CommonProblems, SigningKeyNotFound))]
pub async fn get_signing_key(
    _: Caller<Administer, Native>,
    FromPath(path): FromPath<SigningKeyPath>,
    state: Data<AppState>,
) -> ApiResult<Native> {
    let key = blocking::run(&state, move |state| state.access().signing_key(path.signing_key_id)).await?;
    Ok(HttpResponse::Ok().json(SigningKeyView::from(key)))
}
