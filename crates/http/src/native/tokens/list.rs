//! `GET /v1/tokens`.

use actix_web::HttpResponse;
use actix_web::web::Data;
use serde::Serialize;
use serde_json::{Value, json};
use utoipa::ToSchema;

use crate::api_error::ApiResult;
use crate::cursors::{List, NextCursor};
use crate::error_formats::Native;
use crate::extract::caller::{Administer, Caller};
use crate::native::paging::Paging;
use crate::native::schemas;
use crate::native::tokens::view::TokenView;
use crate::operation::{FromQuery, operation};
use crate::problems::CommonProblems;
use crate::state::AppState;

/// A page of API tokens.
#[derive(Serialize, ToSchema)]
#[schema(example = TokensView::sample)]
pub struct TokensView {
    /// The tokens, by id, which is the order of creation.
    #[schema(max_items = 1000)]
    tokens: Vec<TokenView>,
    /// The cursor of the next page; null on the last page.
    #[schema(required, value_type = Option<schemas::TokenCursor>)]
    next_cursor: NextCursor,
}

impl TokensView {
    fn sample() -> Value {
        json!({"tokens": [TokenView::sample()], "next_cursor": null})
    }
}

/// List API tokens in the order of creation.
///
/// The list includes expired and revoked tokens; `state` shows the difference. The tokens themselves are not shown.
#[operation(get, "/v1/tokens", tag = "tokens",
    responses((status = 200, description = "A page of API tokens.", body = TokensView), CommonProblems))]
pub async fn list_tokens(
    caller: Caller<Administer, Native>,
    FromQuery(paging): FromQuery<Paging<schemas::TokenCursor>>,
    state: Data<AppState>,
) -> ApiResult<Native> {
    let now = state.clock().now();
    let page = paging
        .page(&state, List::Tokens, &caller.principal, |state, cursor, limit| state.access().tokens(cursor, limit))
        .await?
        .map(|token| TokenView::at(now, token));
    Ok(HttpResponse::Ok().json(TokensView { tokens: page.items, next_cursor: page.next }))
}
