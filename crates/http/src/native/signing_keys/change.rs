//! `PATCH /v1/signing-keys/{signing_key_id}`.

use actix_web::HttpResponse;
use actix_web::web::Data;
use serde_json::{Value, json};
use utoipa::ToSchema;

use super::get::SigningKeyPath;
use crate::api_error::ApiResult;
use crate::blocking;
use crate::error_formats::Native;
use crate::extract::caller::{Administer, Caller};
use crate::native::schemas;
use crate::native::signing_keys::view::SigningKeyView;
use crate::operation::{Body, FromBody, FromPath, operation};
use crate::problems::{BodyProblems, CommonProblems, SigningKeyNotFound, SigningKeyRevoked};
use crate::state::AppState;

/// The changes of a signing key. A field that is left out, or null, stays as it is.
#[derive(ToSchema, Body)]
#[serde(deny_unknown_fields)]
#[body(name = "a change of a signing key")]
#[schema(example = SigningKeyChangeInput::sample)]
pub struct SigningKeyChangeInput {
    /// The display name.
    #[schema(value_type = Option<schemas::CredentialName>)]
    #[body(expected = schemas::A_NAME)]
    name: Option<String>,
}

impl SigningKeyChangeInput {
    fn sample() -> Value {
        json!({"name": "shop of 2026"})
    }
}

/// Change a signing key's name.
///
/// The secret and the tenant of a key never change: create another key instead. A revoked key cannot be changed (409).
#[operation(patch, "/v1/signing-keys/{signing_key_id}", tag = "signing keys", body = "The changed fields.",
    responses(
        (status = 200, description = "The key's record as it is now.", body = SigningKeyView),
        CommonProblems, SigningKeyNotFound, SigningKeyRevoked, BodyProblems,
    ))]
pub async fn change_signing_key(
    caller: Caller<Administer, Native>,
    FromPath(path): FromPath<SigningKeyPath>,
    FromBody(input): FromBody<SigningKeyChangeInput>,
    state: Data<AppState>,
) -> ApiResult<Native> {
    let context = caller.audit_context(&state);
    let id = path.signing_key_id;
    let key = blocking::run(&state, move |state| match input.name {
        Some(name) => state.access().rename_signing_key(&context, id, &name),
        None => state.access().signing_key(id),
    })
    .await?;
    Ok(HttpResponse::Ok().json(SigningKeyView::from(key)))
}
