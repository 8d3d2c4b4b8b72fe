//! `PATCH /v1/tokens/{token_id}`.

use actix_web::web::{Data, Payload};
use actix_web::{HttpRequest, HttpResponse};
use serde::Serialize;
use serde_json::{Value, json};
use trailkeeper_auth::TokenChange;
use trailkeeper_domain::json::{A_TIME, JsonObject};
use trailkeeper_domain::{Result, time};
use utoipa::ToSchema;

use crate::api_error::ApiResult;
use crate::blocking;
use crate::error_formats::Native;
use crate::extract::caller::{Administer, Caller};
use crate::extract::path;
use crate::extract::query::Query;
use crate::native::problems::{CommonProblems, Conflict, NotFound, TooLarge};
use crate::native::tokens::view::TokenView;
use crate::native::{audit_context, schemas, small_body};
use crate::state::AppState;

/// What to change about an API token. A field that is left out stays as it is.
#[derive(Serialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(example = TokenChangeInput::sample)]
pub struct TokenChangeInput {
    /// Its name for people.
    #[schema(value_type = Option<schemas::CredentialName>)]
    name: Option<&'static str>,
    /// When it stops working, in the future; null: never.
    #[schema(value_type = Option<schemas::Instant>)]
    expires_at: Option<&'static str>,
}

impl TokenChangeInput {
    fn sample() -> Value {
        json!(Self { name: Some("billing of 2026"), expires_at: Some("2027-01-31T12:00:00Z") })
    }
}

/// Change an API token's name, or when it stops working.
///
/// Null clears `expires_at`; for `name` it is the same as leaving it out. What a token may do never changes: make
/// another one. A revoked one cannot be changed (409).
#[utoipa::path(patch, path = "/v1/tokens/{token_id}", tag = "tokens", security(("Bearer" = [])),
    params(("token_id" = schemas::CredentialId, Path, description = "The token's id.")),
    request_body(content = TokenChangeInput, description = "What changes.", content_type = "application/json"),
    responses(
        (status = 200, description = "The token's record as it is now.", body = TokenView),
        CommonProblems, NotFound, Conflict, TooLarge,
    ))]
pub async fn change_token(
    caller: Caller<Administer, Native>,
    request: HttpRequest,
    payload: Payload,
    state: Data<AppState>,
) -> ApiResult<Native> {
    Query::of(&request)?.only(&[])?;
    let id = path::credential_id(&request, "token_id")?;
    let change = change_of(small_body::read(&request, payload, "a change of a token").await?)?;
    let context = audit_context::of_caller(&caller.principal, &request, &state);
    let token = blocking::run(&state, move |state| state.access().change_token(&context, id, change)).await?;
    Ok(HttpResponse::Ok().json(TokenView::at(state.clock().now(), token)))
}

fn change_of(mut json: JsonObject) -> Result<TokenChange> {
    let for_ever = json.is_null("expires_at");
    let expires_at = json.parsed("expires_at", A_TIME, time::parse_rfc3339)?;
    let change = TokenChange {
        name: json.text("name", schemas::A_NAME)?,
        expires_at: if for_ever { Some(None) } else { expires_at.map(Some) },
    };
    json.finish(&["name", "expires_at"])?;
    Ok(change)
}
