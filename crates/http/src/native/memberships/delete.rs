//! `DELETE /v1/tenants/{tenant_id}/users/{user_id}`.

use actix_web::HttpResponse;
use actix_web::web::Data;
use trailkeeper_domain::usecase;

use super::put::ChangedMembershipPath;
use crate::api_error::ApiResult;
use crate::error_formats::Native;
use crate::extract::caller::{Caller, WriteDirectory};
use crate::operation::{FromPath, operation};
use crate::problems::{CommonProblems, MembershipNotFound};
use crate::state::AppState;

/// End a membership.
///
/// Statistics keep counting the creation of the membership.
#[operation(delete, "/v1/tenants/{tenant_id}/users/{user_id}", tag = "memberships",
    responses((status = 204, description = "The membership is over."), CommonProblems, MembershipNotFound))]
pub async fn delete_membership(
    caller: Caller<WriteDirectory, Native>,
    FromPath(path): FromPath<ChangedMembershipPath>,
    state: Data<AppState>,
) -> ApiResult<Native> {
    let ChangedMembershipPath { tenant_id, user_id } = path;
    caller.changing(&state, move |change| usecase::delete_membership(change, tenant_id, &user_id)).await?;
    Ok(HttpResponse::NoContent().finish())
}
