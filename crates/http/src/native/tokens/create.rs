//! `POST /v1/tokens`.

use actix_web::web::Data;
use serde::Serialize;
use serde_json::{Value, json};
use trailkeeper_auth::NewToken;
use trailkeeper_domain::account::Role;
use trailkeeper_domain::id::TenantId;
use trailkeeper_domain::time::Timestamp;
use utoipa::ToSchema;

use crate::api_error::ApiResult;
use crate::blocking;
use crate::error_formats::Native;
use crate::extract::caller::{Administer, Caller};
use crate::native::tokens::view::TokenView;
use crate::native::{schemas, secret_response};
use crate::operation::{Body, FromBody, operation};
use crate::problems::{BodyProblems, CommonProblems};
use crate::state::AppState;

/// The API token to create. Null is the same as leaving a field out.
#[derive(ToSchema, Body)]
#[serde(deny_unknown_fields)]
#[body(name = "a token")]
#[schema(example = TokenInput::sample)]
pub struct TokenInput {
    /// The display name, for example its purpose. It need not be unique.
    #[schema(value_type = schemas::CredentialName)]
    #[body(expected = schemas::A_NAME)]
    name: String,
    /// The role.
    #[schema(value_type = schemas::Role)]
    role: Role,
    /// The only tenant that it may see; absent: all tenants.
    #[schema(value_type = Option<schemas::TenantId>)]
    tenant_id: Option<TenantId>,
    /// The time when the token expires, in the future; absent: never.
    #[schema(value_type = Option<schemas::Instant>)]
    expires_at: Option<Timestamp>,
}

impl TokenInput {
    fn sample() -> Value {
        json!({"name": "billing", "role": "ingest", "tenant_id": null, "expires_at": null})
    }
}

impl From<TokenInput> for NewToken {
    fn from(input: TokenInput) -> Self {
        let TokenInput { name, role, tenant_id, expires_at } = input;
        Self { name, role, tenant_id, expires_at }
    }
}

/// A new API token.
#[derive(Serialize, ToSchema)]
#[schema(example = CreatedTokenView::sample)]
pub struct CreatedTokenView {
    /// The record of the token.
    api_token: TokenView,
    /// The token, for the header `Authorization: Bearer …`. It is not shown again.
    #[schema(value_type = schemas::PlainToken)]
    token: String,
}

impl CreatedTokenView {
    fn sample() -> Value {
        json!({"api_token": TokenView::sample(), "token": "tk_EXAMPLEexampleEXAMPLEexampleEXAMPLEexampleEXAMPLE"})
    }
}

/// Create an API token.
///
/// The token is shown in this answer and never again: the server keeps only a hash of it.
#[operation(post, "/v1/tokens", tag = "tokens", body = "The token.",
    responses(
        (status = 201, description = "The token is made.", body = CreatedTokenView,
            headers(("Location" = String, description = "The address of the token's record."))),
        CommonProblems, BodyProblems,
    ))]
pub async fn create_token(
    caller: Caller<Administer, Native>,
    FromBody(input): FromBody<TokenInput>,
    state: Data<AppState>,
) -> ApiResult<Native> {
    let context = caller.audit_context(&state);
    let now = state.clock().now();
    let (made, plain) = blocking::run(&state, move |state| state.access().create_token(&context, input.into())).await?;
    let location = format!("/v1/tokens/{}", made.id);
    let view = CreatedTokenView { api_token: TokenView::at(now, made), token: plain.expose().to_owned() };
    Ok(secret_response::created(location, view))
}
