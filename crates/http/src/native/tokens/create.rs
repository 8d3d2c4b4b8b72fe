//! `POST /v1/tokens`.

use actix_web::HttpRequest;
use actix_web::web::{Data, Payload};
use serde::Serialize;
use serde_json::{Value, json};
use trailkeeper_auth::NewToken;
use trailkeeper_domain::Result;
use trailkeeper_domain::account::Role;
use trailkeeper_domain::id::TenantId;
use trailkeeper_domain::json::{A_TIME, JsonObject};
use trailkeeper_domain::time;
use utoipa::ToSchema;

use crate::api_error::ApiResult;
use crate::blocking;
use crate::error_formats::Native;
use crate::extract::caller::{Administer, Caller};
use crate::extract::query::Query;
use crate::native::problems::{CommonProblems, TooLarge};
use crate::native::tokens::view::TokenView;
use crate::native::{audit_context, schemas, secret_response, small_body};
use crate::state::AppState;

/// An API token to be made. Null is the same as leaving a field out.
#[derive(Serialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(example = TokenInput::sample)]
pub struct TokenInput {
    /// Its name for people: what it is for. Need not be unique.
    #[schema(value_type = schemas::CredentialName)]
    name: &'static str,
    /// What it may do.
    #[schema(value_type = schemas::Role)]
    role: &'static str,
    /// The one tenant it may see; absent: all.
    #[schema(value_type = Option<schemas::TenantId>)]
    tenant_id: Option<&'static str>,
    /// When it stops working, in the future; absent: never.
    #[schema(value_type = Option<schemas::Instant>)]
    expires_at: Option<&'static str>,
}

impl TokenInput {
    fn sample() -> Value {
        json!(Self { name: "billing", role: "ingest", tenant_id: None, expires_at: None })
    }
}

/// A new API token.
#[derive(Serialize, ToSchema)]
#[schema(example = CreatedTokenView::sample)]
pub struct CreatedTokenView {
    /// What is kept of it.
    api_token: TokenView,
    /// The token, for the header `Authorization: Bearer …`. It is not shown again.
    #[schema(value_type = schemas::PlainToken)]
    token: String,
}

impl CreatedTokenView {
    fn sample() -> Value {
        json!({"api_token": TokenView::sample(), "token": "tk_EXAMPLEexampleEXAMPLEexampleEXAMPLEexampleEXAMPLE00"})
    }
}

/// Make an API token.
///
/// The token is shown in this answer and never again: a hash of it is kept.
#[utoipa::path(post, path = "/v1/tokens", tag = "tokens", security(("Bearer" = [])),
    request_body(content = TokenInput, description = "The token.", content_type = "application/json"),
    responses(
        (status = 201, description = "The token is made.", body = CreatedTokenView,
            headers(("Location" = String, description = "Where the token's record is."))),
        CommonProblems, TooLarge,
    ))]
pub async fn create_token(
    caller: Caller<Administer, Native>,
    request: HttpRequest,
    payload: Payload,
    state: Data<AppState>,
) -> ApiResult<Native> {
    Query::of(&request)?.only(&[])?;
    let new = new_token(small_body::read(&request, payload, "a token").await?)?;
    let context = audit_context::of_caller(&caller.principal, &request, &state);
    let now = state.clock().now();
    let (made, plain) = blocking::run(&state, move |state| state.access().create_token(&context, new)).await?;
    let location = format!("/v1/tokens/{}", made.id);
    let view = CreatedTokenView { api_token: TokenView::at(now, made), token: plain.expose().to_owned() };
    Ok(secret_response::created(location, view))
}

fn new_token(mut json: JsonObject) -> Result<NewToken> {
    let new = NewToken {
        name: json.required("name", schemas::A_NAME, JsonObject::text)?,
        role: json.required_parsed("role", schemas::A_ROLE, Role::parse)?,
        tenant_id: json.parsed("tenant_id", schemas::A_UUID, TenantId::parse)?,
        expires_at: json.parsed("expires_at", A_TIME, time::parse_rfc3339)?,
    };
    json.finish(&["name", "role", "tenant_id", "expires_at"])?;
    Ok(new)
}
