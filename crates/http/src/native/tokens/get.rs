//! `GET /v1/tokens/{token_id}`.

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
use crate::native::tokens::view::TokenView;
use crate::state::AppState;

/// Get an API token's record.
///
/// Expired and revoked ones too. The token itself is not shown.
#[utoipa::path(get, path = "/v1/tokens/{token_id}", tag = "tokens", security(("Bearer" = [])),
    params(("token_id" = schemas::CredentialId, Path, description = "The token's id.")),
    responses((status = 200, description = "The record.", body = TokenView), CommonProblems, NotFound))]
pub async fn get_token(
    _: Caller<Administer, Native>,
    request: HttpRequest,
    state: Data<AppState>,
) -> ApiResult<Native> {
    Query::of(&request)?.only(&[])?;
    let id = path::credential_id(&request, "token_id")?;
    let token = blocking::run(&state, move |state| state.access().token(id)).await?;
    Ok(HttpResponse::Ok().json(TokenView::at(state.clock().now(), token)))
}
