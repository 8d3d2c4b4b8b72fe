//! `PUT /v1/tenants/{tenant_id}/users/{user_id}`.

use actix_web::web::Data;
use serde_json::{Value, json};
use trailkeeper_domain::id::{TenantId, UserId};
use trailkeeper_domain::time::Timestamp;
use trailkeeper_domain::usecase;
use utoipa::ToSchema;

use crate::api_error::ApiResult;
use crate::error_formats::Native;
use crate::extract::caller::{Caller, WriteDirectory};
use crate::native::memberships::view::MembershipView;
use crate::native::put_response::put_response;
use crate::native::schemas;
use crate::operation::{Body, FromBody, FromPath, PathParams, operation};
use crate::problems::{BodyProblems, CommonProblems, TenantNotFound};
use crate::settings::MAX_BODY_BYTES;
use crate::state::AppState;

/// The membership that a request changes.
#[derive(PathParams)]
pub struct ChangedMembershipPath {
    /// The tenant's id. All zero and all ones are reserved.
    #[param(schema = schemas::TenantId, visible)]
    pub tenant_id: TenantId,
    /// The user's id.
    #[param(schema = schemas::UserId)]
    pub user_id: UserId,
}

/// A membership. No body is the same as an empty object; null is the same as leaving the field out.
#[derive(ToSchema, Body)]
#[serde(deny_unknown_fields)]
#[body(name = "a membership", max_bytes = MAX_BODY_BYTES, optional)]
#[schema(example = MembershipInput::sample)]
pub struct MembershipInput {
    /// The start of the membership, for backfill; absent: unchanged, or now for a new membership. At most 10 minutes in
    /// the future.
    #[schema(value_type = Option<schemas::Instant>)]
    created_at: Option<Timestamp>,
}

impl MembershipInput {
    fn sample() -> Value {
        json!({"created_at": "2026-01-31T12:00:00Z"})
    }
}

/// Make a user a member of a tenant, or correct the start of the membership.
///
/// Neither the user nor the tenant needs a record: records may come later. The first time, and each time after a
/// deletion, the membership counts as created at `created_at`. A credential that is scoped to a tenant can correct
/// memberships but cannot create them (403), because it can read the records of its members.
#[operation(put, "/v1/tenants/{tenant_id}/users/{user_id}", tag = "memberships", body = "The membership.",
    responses(
        (status = 200, description = "The membership replaced the one before.", body = MembershipView),
        (status = 201, description = "The membership is new.", body = MembershipView),
        CommonProblems, TenantNotFound, BodyProblems,
    ))]
pub async fn put_membership(
    caller: Caller<WriteDirectory, Native>,
    FromPath(path): FromPath<ChangedMembershipPath>,
    FromBody(input): FromBody<MembershipInput>,
    state: Data<AppState>,
) -> ApiResult<Native> {
    let ChangedMembershipPath { tenant_id, user_id } = path;
    let tenant_scoped = caller.principal.tenant_id.is_some();
    let put = if tenant_scoped { usecase::correct_membership } else { usecase::put_membership };
    let (membership, put) =
        caller.changing(&state, move |change| put(change, tenant_id, &user_id, input.created_at)).await?;
    Ok(put_response(put, MembershipView::from(membership)))
}
