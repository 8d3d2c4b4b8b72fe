//! `PATCH /v1/signing-keys/{signing_key_id}`.

use actix_web::web::{Data, Payload};
use actix_web::{HttpRequest, HttpResponse};
use serde::Serialize;
use serde_json::{Value, json};
use trailkeeper_domain::Result;
use trailkeeper_domain::json::JsonObject;
use utoipa::ToSchema;

use crate::api_error::ApiResult;
use crate::blocking;
use crate::error_formats::Native;
use crate::extract::caller::{Administer, Caller};
use crate::extract::path;
use crate::extract::query::Query;
use crate::native::problems::{CommonProblems, Conflict, NotFound, TooLarge};
use crate::native::signing_keys::view::SigningKeyView;
use crate::native::{schemas, small_body};
use crate::state::AppState;

/// What to change about a signing key. A field that is left out, or null, stays as it is.
#[derive(Serialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(example = SigningKeyChangeInput::sample)]
pub struct SigningKeyChangeInput {
    /// Its name for people.
    #[schema(value_type = Option<schemas::CredentialName>)]
    name: Option<&'static str>,
}

impl SigningKeyChangeInput {
    fn sample() -> Value {
        json!(Self { name: Some("shop of 2026") })
    }
}

/// Change a signing key's name.
///
/// Its secret and its tenant never change: make another key. A revoked one cannot be changed (409).
#[utoipa::path(patch, path = "/v1/signing-keys/{signing_key_id}", tag = "signing keys", security(("Bearer" = [])),
    params(("signing_key_id" = schemas::CredentialId, Path, description = "The key's id.")),
    request_body(content = SigningKeyChangeInput, description = "What changes.", content_type = "application/json"),
    responses(
        (status = 200, description = "The key's record as it is now.", body = SigningKeyView),
        CommonProblems, NotFound, Conflict, TooLarge,
    ))]
pub async fn change_signing_key(
    caller: Caller<Administer, Native>,
    request: HttpRequest,
    payload: Payload,
    state: Data<AppState>,
) -> ApiResult<Native> {
    Query::of(&request)?.only(&[])?;
    let id = path::credential_id(&request, "signing_key_id")?;
    let name = name_of(small_body::read(&request, payload, "a change of a signing key").await?)?;
    let context = caller.audit_context(&state);
    let key = blocking::run(&state, move |state| match name {
        Some(name) => state.access().rename_signing_key(&context, id, &name),
        None => state.access().signing_key(id),
    })
    .await?;
    Ok(HttpResponse::Ok().json(SigningKeyView::from(key)))
}

fn name_of(mut json: JsonObject) -> Result<Option<String>> {
    let name = json.text("name", schemas::A_NAME)?;
    json.finish(&["name"])?;
    Ok(name)
}
