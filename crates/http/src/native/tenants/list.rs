//! `GET /v1/tenants`.

use actix_web::HttpResponse;
use actix_web::web::Data;
use serde::Serialize;
use serde_json::{Value, json};
use trailkeeper_domain::usecase;
use utoipa::ToSchema;

use crate::api_error::ApiResult;
use crate::cursors::{List, NextCursor};
use crate::error_formats::Native;
use crate::extract::caller::{Caller, ReadDirectory};
use crate::native::paging::Paging;
use crate::native::schemas;
use crate::native::tenants::view::TenantView;
use crate::operation::{FromQuery, operation};
use crate::problems::CommonProblems;
use crate::state::AppState;

/// A page of tenants.
#[derive(Serialize, ToSchema)]
#[schema(example = TenantsView::sample)]
pub struct TenantsView {
    /// The tenants, by id.
    #[schema(max_items = 1000)]
    tenants: Vec<TenantView>,
    /// The cursor of the next page; null on the last page.
    #[schema(required, value_type = Option<schemas::TenantCursor>)]
    next_cursor: NextCursor,
}

impl TenantsView {
    fn sample() -> Value {
        json!({"tenants": [TenantView::sample()], "next_cursor": null})
    }
}

/// List tenants' records by id.
///
/// A credential that is scoped to a tenant sees only that tenant.
#[operation(get, "/v1/tenants", tag = "tenants",
    responses((status = 200, description = "A page of tenants.", body = TenantsView), CommonProblems))]
pub async fn list_tenants(
    caller: Caller<ReadDirectory, Native>,
    FromQuery(paging): FromQuery<Paging<schemas::TenantCursor>>,
    state: Data<AppState>,
) -> ApiResult<Native> {
    let visibility = caller.principal.visibility();
    let page = paging
        .page(&state, List::Tenants, &caller.principal, move |state, cursor, limit| {
            usecase::list_tenants(state.store(), visibility, cursor, limit)
        })
        .await?
        .map(TenantView::from);
    Ok(HttpResponse::Ok().json(TenantsView { tenants: page.items, next_cursor: page.next }))
}
