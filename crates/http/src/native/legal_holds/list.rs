//! `GET /v1/legal-holds`.

use actix_web::HttpResponse;
use actix_web::web::Data;
use serde::Serialize;
use serde_json::{Value, json};
use utoipa::ToSchema;

use crate::api_error::ApiResult;
use crate::cursors::{List, NextCursor};
use crate::error_formats::Native;
use crate::extract::caller::{Administer, Caller};
use crate::native::legal_holds::view::HoldView;
use crate::native::paging::Paging;
use crate::native::schemas;
use crate::operation::{FromQuery, operation};
use crate::problems::CommonProblems;
use crate::state::AppState;

/// A page of legal holds.
#[derive(Serialize, ToSchema)]
#[schema(example = HoldsView::sample)]
pub struct HoldsView {
    /// The holds, by id, which is the order of creation.
    #[schema(max_items = 1000)]
    holds: Vec<HoldView>,
    /// The cursor of the next page; null on the last page.
    #[schema(required, value_type = Option<schemas::LegalHoldCursor>)]
    next_cursor: NextCursor,
}

impl HoldsView {
    fn sample() -> Value {
        json!({"holds": [HoldView::sample()], "next_cursor": null})
    }
}

/// List the legal holds in the order of creation.
#[operation(get, "/v1/legal-holds", tag = "retention",
    responses((status = 200, description = "A page of holds.", body = HoldsView), CommonProblems))]
pub async fn list_legal_holds(
    caller: Caller<Administer, Native>,
    FromQuery(paging): FromQuery<Paging<schemas::LegalHoldCursor>>,
    state: Data<AppState>,
) -> ApiResult<Native> {
    let page = paging
        .page(&state, List::LegalHolds, &caller.principal, |state, cursor, limit| {
            state.access().legal_holds(cursor, limit)
        })
        .await?
        .map(HoldView::from);
    Ok(HttpResponse::Ok().json(HoldsView { holds: page.items, next_cursor: page.next }))
}
