//! `GET /v1/tenants/{tenant_id}/users`.

use actix_web::HttpResponse;
use actix_web::web::Data;
use serde::Serialize;
use serde_json::{Value, json};
use trailkeeper_domain::usecase;
use utoipa::ToSchema;

use crate::api_error::ApiResult;
use crate::cursors::{List, NextCursor};
use crate::error_formats::Native;
use crate::extract::caller::{Caller, ReadUsers};
use crate::native::memberships::view::MembershipView;
use crate::native::paging::Paging;
use crate::native::schemas;
use crate::native::tenants::TenantPath;
use crate::operation::{FromPath, FromQuery, operation};
use crate::problems::{CommonProblems, TenantNotFound};
use crate::state::AppState;

/// A page of memberships.
#[derive(Serialize, ToSchema)]
#[schema(example = MembershipsView::sample)]
pub struct MembershipsView {
    /// The memberships, by the user's id.
    #[schema(max_items = 1000)]
    memberships: Vec<MembershipView>,
    /// The cursor of the next page; null on the last page.
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
/// A tenant without a record may have memberships. A tenant without a record and without memberships is unknown (404).
#[operation(get, "/v1/tenants/{tenant_id}/users", tag = "memberships",
    responses((status = 200, description = "A page of memberships.", body = MembershipsView), CommonProblems, TenantNotFound))]
pub async fn list_memberships(
    caller: Caller<ReadUsers, Native>,
    FromPath(path): FromPath<TenantPath>,
    FromQuery(paging): FromQuery<Paging<schemas::UserCursor>>,
    state: Data<AppState>,
) -> ApiResult<Native> {
    let visibility = caller.principal.visibility();
    let page = paging
        .page(&state, List::Memberships, &caller.principal, move |state, cursor, limit| {
            usecase::list_memberships(state.store(), visibility, path.tenant_id, cursor, limit)
        })
        .await?
        .map(MembershipView::from);
    Ok(HttpResponse::Ok().json(MembershipsView { memberships: page.items, next_cursor: page.next }))
}
