//! `GET /v1/tenants/{tenant_id}/users/{user_id}`.

use actix_web::HttpResponse;
use actix_web::web::Data;
use trailkeeper_domain::id::{TenantId, UserId};
use trailkeeper_domain::usecase;

use crate::api_error::ApiResult;
use crate::blocking;
use crate::error_formats::Native;
use crate::extract::caller::{Caller, ReadUsers};
use crate::native::memberships::view::MembershipView;
use crate::native::schemas;
use crate::operation::{FromPath, PathParams, operation};
use crate::problems::{CommonProblems, MembershipNotFound};
use crate::state::AppState;

/// The membership that a path names.
#[derive(PathParams)]
pub struct MembershipPath {
    /// The tenant's id.
    #[param(schema = schemas::TenantId)]
    tenant_id: TenantId,
    /// The user's id.
    #[param(schema = schemas::UserId)]
    user_id: UserId,
}

/// Get a membership.
///
/// Shows whether a user is a member of a tenant, and since when.
#[operation(get, "/v1/tenants/{tenant_id}/users/{user_id}", tag = "memberships",
    responses((status = 200, description = "The membership.", body = MembershipView), CommonProblems, MembershipNotFound))]
pub async fn get_membership(
    caller: Caller<ReadUsers, Native>,
    FromPath(path): FromPath<MembershipPath>,
    state: Data<AppState>,
) -> ApiResult<Native> {
    let visibility = caller.principal.visibility();
    let membership = blocking::run(&state, move |state| {
        usecase::find_membership(state.store(), visibility, path.tenant_id, &path.user_id)
    })
    .await?;
    Ok(HttpResponse::Ok().json(MembershipView::from(membership)))
}
