//! `DELETE /v1/tenants/{tenant_id}/users/{user_id}`.

use actix_web::web::Data;
use actix_web::{HttpRequest, HttpResponse};
use trailkeeper_domain::usecase;

use crate::api_error::ApiResult;
use crate::error_formats::Native;
use crate::extract::caller::{Caller, WriteDirectory};
use crate::extract::path;
use crate::extract::query::Query;
use crate::native::problems::{CommonProblems, NotFound};
use crate::native::schemas;
use crate::state::AppState;

/// End a membership.
///
/// Its creation stays counted.
#[utoipa::path(delete, path = "/v1/tenants/{tenant_id}/users/{user_id}", tag = "memberships", security(("Bearer" = [])),
    params(
        ("tenant_id" = schemas::TenantId, Path, description = "The tenant's id."),
        ("user_id" = schemas::UserId, Path, description = "The user's id."),
    ),
    responses((status = 204, description = "The membership is over."), CommonProblems, NotFound))]
pub async fn delete_membership(
    caller: Caller<WriteDirectory, Native>,
    request: HttpRequest,
    state: Data<AppState>,
) -> ApiResult<Native> {
    Query::of(&request)?.only(&[])?;
    let (tenant, user) = (path::tenant_id(&request)?, path::user_id(&request)?);
    caller.principal.visibility().check(tenant)?;
    caller.changing(&state, move |change| usecase::delete_membership(change, tenant, &user)).await?;
    Ok(HttpResponse::NoContent().finish())
}
