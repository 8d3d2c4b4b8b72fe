//! `PUT /v1/users/{user_id}`.

use std::collections::BTreeMap;

use actix_web::web::Data;
use serde_json::{Value, json};
use trailkeeper_domain::time::Timestamp;
use trailkeeper_domain::usecase;
use trailkeeper_domain::user::UserDraft;
use utoipa::ToSchema;

use super::get::UserPath;
use crate::api_error::ApiResult;
use crate::error_formats::Native;
use crate::extract::caller::{Caller, WriteUsers};
use crate::native::put_response::put_response;
use crate::native::schemas;
use crate::native::users::view::UserView;
use crate::operation::{Body, FromBody, FromPath, operation};
use crate::problems::{AliasExists, BodyProblems, CommonProblems};
use crate::settings::MAX_BODY_BYTES;
use crate::state::AppState;

/// A user's record. Null is the same as leaving a field out.
#[derive(ToSchema, Body)]
#[body(name = "a user", parsed_as = UserDraft, max_bytes = MAX_BODY_BYTES)]
#[serde(deny_unknown_fields)]
#[schema(example = UserInput::sample)]
#[expect(dead_code, reason = "it describes what `UserDraft` reads")]
pub struct UserInput {
    /// The e-mail address. It is unique in the user pool, without regard to case.
    #[schema(value_type = Option<schemas::Email>)]
    email: Option<String>,
    /// The login name.
    #[schema(value_type = Option<schemas::Username>)]
    username: Option<String>,
    /// Further attributes, by name; absent: none.
    #[schema(value_type = Option<schemas::Attributes>)]
    attributes: Option<BTreeMap<String, String>>,
    /// The region, for users without a pool. With a pool, leave it out: it is the part of `user_pool_id` before its last
    /// `_`, and any other region next to a pool is refused.
    #[schema(value_type = Option<schemas::Region>)]
    region: Option<String>,
    /// The user pool. It determines the region.
    #[schema(value_type = Option<schemas::UserPoolId>)]
    user_pool_id: Option<String>,
    /// The status of the user's account; absent: `CONFIRMED`.
    #[schema(value_type = Option<schemas::AccountStatus>)]
    status: Option<String>,
    /// Whether the user may log in to the application; absent: yes.
    enabled: Option<bool>,
    /// The time of registration, for backfill; absent: unchanged, or now for a new user. At most 10 minutes in the future.
    #[schema(value_type = Option<schemas::Instant>)]
    registered_at: Option<Timestamp>,
}

impl UserInput {
    fn sample() -> Value {
        json!({
            "email": "jane@example.com",
            "username": "jane",
            "attributes": {"department": "sales"},
            "region": null,
            "user_pool_id": "eu-west-1_aBcD12345",
            "status": "CONFIRMED",
            "enabled": true,
            "registered_at": "2026-01-31T12:00:00Z",
        })
    }
}

/// Create or replace a user's record.
///
/// The first time, and each time after a deletion, the user counts as created at `registered_at`. A `registered_at`
/// sent later corrects the time of that creation. The server keeps each change of e-mail and attributes with its author
/// and time. Users belong to all tenants: a credential that is scoped to a tenant cannot write them (403). An e-mail
/// that another user of the pool has is a conflict (409).
#[operation(put, "/v1/users/{user_id}", tag = "users", body = "The whole record.",
    responses(
        (status = 200, description = "The record replaced the one before.", body = UserView),
        (status = 201, description = "The record is new.", body = UserView),
        CommonProblems, AliasExists, BodyProblems,
    ))]
pub async fn put_user(
    caller: Caller<WriteUsers, Native>,
    FromPath(path): FromPath<UserPath>,
    FromBody(draft): FromBody<UserInput>,
    state: Data<AppState>,
) -> ApiResult<Native> {
    let (user, put) = caller.changing(&state, move |change| usecase::put_user(change, &path.user_id, &draft)).await?;
    Ok(put_response(put, UserView::from(user)))
}
