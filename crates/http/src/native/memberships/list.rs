//! `GET /v1/tenants/{tenant_id}/users`.

use actix_web::web::Data;
use actix_web::{HttpRequest, HttpResponse};
use serde::Serialize;
use serde_json::{Value, json};
use trailkeeper_domain::usecase;
use utoipa::ToSchema;

use crate::api_error::ApiResult;
use crate::cursors::{List, NextCursor};
use crate::error_formats::Native;
use crate::extract::caller::{Caller, ReadUsers};
use crate::extract::path;
use crate::extract::query::Query;
use crate::native::memberships::view::MembershipView;
use crate::native::paging_by_query::Paging;
use crate::native::problems::{CommonProblems, NotFound};
use crate::native::schemas;
use crate::state::AppState;

/// A page of memberships.
#[derive(Serialize, ToSchema)]
#[schema(example = MembershipsView::sample)]
pub struct MembershipsView {
    /// By the user's id.
    #[schema(max_items = 1000)]
    memberships: Vec<MembershipView>,
    /// Where the list goes on; null on the last page.
    #[schema(required, value_type = Option<schemas::UserCursor>)]
    next_cursor: NextCursor,
}

impl MembershipsView {
    fn sample() -> Value {
        json!({"memberships": [MembershipView::sample()], "next_cursor": null})
    }
}

/// List a tenant's memberships by the user's id.
///
/// A tenant without a record may have memberships; one without either is unknown (404).
#[utoipa::path(get, path = "/v1/tenants/{tenant_id}/users", tag = "memberships", security(("Bearer" = [])),
    params(
        ("tenant_id" = schemas::TenantId, Path, description = "The tenant's id."),
        ("cursor" = Option<schemas::UserCursor>, Query, description = "`next_cursor` of the page before, unchanged."),
        ("limit" = Option<i32>, Query, description = "How many at most; 100 where it is not sent.", minimum = 1, maximum = 1000),
    ),
    responses((status = 200, description = "A page of memberships.", body = MembershipsView), CommonProblems, NotFound))]
pub async fn list_memberships(
    caller: Caller<ReadUsers, Native>,
    request: HttpRequest,
    state: Data<AppState>,
) -> ApiResult<Native> {
    let query = Query::of(&request)?.only(&["cursor", "limit"])?;
    let paging = Paging::of(&query, List::Memberships, &caller.principal)?;
    let tenant = path::tenant_id(&request)?;
    let visibility = caller.principal.visibility();
    let page = paging
        .page(&state, move |state, cursor, limit| {
            usecase::list_memberships(state.store(), visibility, tenant, cursor, limit)
        })
        .await?
        .map(MembershipView::from);
    Ok(HttpResponse::Ok().json(MembershipsView { memberships: page.items, next_cursor: page.next }))
}
