//! `GET /v1/tenants/{tenant_id}/users/{user_id}`.

use actix_web::web::Data;
use actix_web::{HttpRequest, HttpResponse};
use trailkeeper_domain::usecase;

use crate::api_error::ApiResult;
use crate::blocking;
use crate::error_formats::Native;
use crate::extract::caller::{Caller, ReadUsers};
use crate::extract::path;
use crate::extract::query::Query;
use crate::native::memberships::view::MembershipView;
use crate::native::problems::{CommonProblems, NotFound};
use crate::native::schemas;
use crate::state::AppState;

/// Get a membership.
///
/// Tells whether a user is a member of a tenant, and since when.
#[utoipa::path(get, path = "/v1/tenants/{tenant_id}/users/{user_id}", tag = "memberships", security(("Bearer" = [])),
    params(
        ("tenant_id" = schemas::TenantId, Path, description = "The tenant's id."),
        ("user_id" = schemas::UserId, Path, description = "The user's id."),
    ),
    responses((status = 200, description = "The membership.", body = MembershipView), CommonProblems, NotFound))]
pub async fn get_membership(
    caller: Caller<ReadUsers, Native>,
    request: HttpRequest,
    state: Data<AppState>,
) -> ApiResult<Native> {
    Query::of(&request)?.only(&[])?;
    let (tenant, user) = (path::tenant_id(&request)?, path::user_id(&request)?);
    let visibility = caller.principal.visibility();
    let membership =
        blocking::run(&state, move |state| usecase::find_membership(state.store(), visibility, tenant, &user)).await?;
    Ok(HttpResponse::Ok().json(MembershipView::from(membership)))
}
