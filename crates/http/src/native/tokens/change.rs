//! `PATCH /v1/tokens/{token_id}`.

use actix_web::HttpResponse;
use actix_web::web::Data;
use serde_json::{Value, json};
use trailkeeper_auth::TokenChange;
use trailkeeper_domain::time::Timestamp;
use utoipa::ToSchema;

use super::get::TokenPath;
use crate::api_error::ApiResult;
use crate::blocking;
use crate::error_formats::Native;
use crate::extract::caller::{Administer, Caller};
use crate::native::schemas;
use crate::native::tokens::view::TokenView;
use crate::operation::{Body, FromBody, FromPath, Patch, operation};
use crate::problems::{BodyProblems, CommonProblems, TokenEnded, TokenNotFound};
use crate::state::AppState;

/// The changes of an API token. A field that is left out stays as it is.
#[derive(ToSchema, Body)]
#[serde(deny_unknown_fields)]
#[body(name = "a change of a token")]
#[schema(example = TokenChangeInput::sample)]
pub struct TokenChangeInput {
    /// The display name.
    #[schema(value_type = Option<schemas::CredentialName>)]
    #[body(expected = schemas::A_NAME)]
    name: Option<String>,
    /// The time when the token expires, in the future; null: never.
    #[schema(value_type = Option<schemas::Instant>)]
    expires_at: Patch<Timestamp>,
}

impl TokenChangeInput {
    fn sample() -> Value {
        json!({"name": "billing of 2026", "expires_at": "2027-01-31T12:00:00Z"})
    }
}

impl From<TokenChangeInput> for TokenChange {
    fn from(input: TokenChangeInput) -> Self {
        Self { name: input.name, expires_at: input.expires_at.into_option() }
    }
}

/// Change an API token's name or expiry.
///
/// Null clears `expires_at`; for `name` it is the same as leaving it out. The permissions of a token never change:
/// create another token instead. A revoked token cannot be changed (409).
#[operation(patch, "/v1/tokens/{token_id}", tag = "tokens", body = "The changed fields.",
    responses(
        (status = 200, description = "The token's record as it is now.", body = TokenView),
        CommonProblems, TokenNotFound, TokenEnded, BodyProblems,
    ))]
pub async fn change_token(
    caller: Caller<Administer, Native>,
    FromPath(path): FromPath<TokenPath>,
    FromBody(input): FromBody<TokenChangeInput>,
    state: Data<AppState>,
) -> ApiResult<Native> {
    let context = caller.audit_context(&state);
    let token =
        blocking::run(&state, move |state| state.access().change_token(&context, path.token_id, input.into())).await?;
    Ok(HttpResponse::Ok().json(TokenView::at(state.clock().now(), token)))
}
