//! `GET /v1/tokens/{token_id}`.

use actix_web::HttpResponse;
use actix_web::web::Data;
use trailkeeper_domain::id::CredentialId;

use crate::api_error::ApiResult;
use crate::blocking;
use crate::error_formats::Native;
use crate::extract::caller::{Administer, Caller};
use crate::native::schemas;
use crate::native::tokens::view::TokenView;
use crate::operation::{FromPath, PathParams, operation};
use crate::problems::{CommonProblems, TokenNotFound};
use crate::state::AppState;

/// The token that a path names.
#[derive(PathParams)]
pub struct TokenPath {
    /// The token's id.
    #[param(schema = schemas::CredentialId)]
    pub token_id: CredentialId,
}

/// Get an API token's record.
///
/// Expired and revoked tokens are included. The token itself is not shown.
#[operation(get, "/v1/tokens/{token_id}", tag = "tokens",
    responses((status = 200, description = "The record.", body = TokenView), CommonProblems, TokenNotFound))]
pub async fn get_token(
    _: Caller<Administer, Native>,
    FromPath(path): FromPath<TokenPath>,
    state: Data<AppState>,
) -> ApiResult<Native> {
    let token = blocking::run(&state, move |state| state.access().token(path.token_id)).await?;
    Ok(HttpResponse::Ok().json(TokenView::at(state.clock().now(), token)))
}
