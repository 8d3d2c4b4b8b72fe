//! `GET /v1/signing-keys`.

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
use crate::native::signing_keys::view::SigningKeyView;
use crate::operation::{FromQuery, operation};
use crate::problems::CommonProblems;
use crate::state::AppState;

/// A page of signing keys.
#[derive(Serialize, ToSchema)]
#[schema(example = SigningKeysView::sample)]
pub struct SigningKeysView {
    /// The signing keys, by id, which is the order of creation.
    #[schema(max_items = 1000)]
    signing_keys: Vec<SigningKeyView>,
    /// The cursor of the next page; null on the last page.
    #[schema(required, value_type = Option<schemas::SigningKeyCursor>)]
    next_cursor: NextCursor,
}

impl SigningKeysView {
    fn sample() -> Value {
        json!({"signing_keys": [SigningKeyView::sample()], "next_cursor": null})
    }
}

/// List signing keys in the order of creation.
///
/// The list includes revoked keys; `state` shows whether a key is revoked. The secrets are not shown.
#[operation(get, "/v1/signing-keys", tag = "signing keys",
    responses((status = 200, description = "A page of signing keys.", body = SigningKeysView), CommonProblems))]
pub async fn list_signing_keys(
    caller: Caller<Administer, Native>,
    FromQuery(paging): FromQuery<Paging<schemas::SigningKeyCursor>>,
    state: Data<AppState>,
) -> ApiResult<Native> {
    let page = paging
        .page(&state, List::SigningKeys, &caller.principal, |state, cursor, limit| {
            state.access().signing_keys(cursor, limit)
        })
        .await?
        .map(SigningKeyView::from);
    Ok(HttpResponse::Ok().json(SigningKeysView { signing_keys: page.items, next_cursor: page.next }))
}
