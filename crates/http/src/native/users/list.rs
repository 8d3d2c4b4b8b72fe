//! `GET /v1/users`.

use actix_web::HttpResponse;
use actix_web::web::Data;
use serde::Serialize;
use serde_json::{Value, json};
use trailkeeper_domain::id::TenantId;
use trailkeeper_domain::user::{self, PoolId, UserFilter};
use trailkeeper_domain::visibility::Visibility;
use trailkeeper_domain::{Result, usecase};
use utoipa::ToSchema;

use crate::api_error::ApiResult;
use crate::cursors::{List, NextCursor};
use crate::error_formats::Native;
use crate::extract::caller::{Caller, ReadUsers};
use crate::native::paging::Paging;
use crate::native::schemas;
use crate::native::users::view::UserView;
use crate::operation::{FromQuery, QueryParams, operation};
use crate::problems::{CommonProblems, TenantNotFound};
use crate::state::AppState;

/// The filters of a list of users.
#[derive(QueryParams)]
pub struct UserListParams {
    /// Only users with this e-mail. Upper and lower case are the same, composed and decomposed letters too.
    #[param(schema = schemas::Email, with = email)]
    email: Option<String>,
    /// Only users of this region.
    #[param(schema = schemas::Region, with = region)]
    region: Option<String>,
    /// Only users of this user pool.
    #[param(schema = schemas::UserPoolId)]
    user_pool_id: Option<PoolId>,
    /// Only members of this tenant.
    #[param(schema = schemas::TenantId)]
    tenant_id: Option<TenantId>,
    #[param(flatten)]
    paging: Paging<schemas::UserCursor>,
}

impl UserListParams {
    fn filter(&self, visibility: Visibility) -> Result<UserFilter> {
        Ok(UserFilter {
            email: self.email.clone(),
            region: self.region.clone(),
            user_pool_id: self.user_pool_id.clone(),
            visibility: visibility.narrow(self.tenant_id)?,
        })
    }
}

fn email(name: &str, value: &str) -> Result<String> {
    user::checked_email(name, value).map(|()| value.to_owned())
}

/// Checks the region without the pool. If they contradict, that is no error here: no user meets both conditions.
fn region(name: &str, value: &str) -> Result<String> {
    user::checked_region(name, Some(value.to_owned()), None)?;
    Ok(value.to_owned())
}

/// A page of users.
#[derive(Serialize, ToSchema)]
#[schema(example = UsersView::sample)]
pub struct UsersView {
    /// The users, by id, in the order of its UTF-8 bytes.
    #[schema(max_items = 1000)]
    users: Vec<UserView>,
    /// The cursor of the next page; null on the last page.
    #[schema(required, value_type = Option<schemas::UserCursor>)]
    next_cursor: NextCursor,
}

impl UsersView {
    fn sample() -> Value {
        json!({"users": [UserView::sample()], "next_cursor": null})
    }
}

/// List users' records by id.
///
/// A user must match every filter that is sent. A credential that is scoped to a tenant sees only the members of that
/// tenant.
#[operation(get, "/v1/users", tag = "users",
    responses((status = 200, description = "A page of users.", body = UsersView), CommonProblems, TenantNotFound))]
pub async fn list_users(
    caller: Caller<ReadUsers, Native>,
    FromQuery(params): FromQuery<UserListParams>,
    state: Data<AppState>,
) -> ApiResult<Native> {
    let filter = params.filter(caller.principal.visibility())?;
    let page = params
        .paging
        .page(&state, List::Users, &caller.principal, move |state, cursor, limit| {
            usecase::list_users(state.store(), &filter, cursor, limit)
        })
        .await?
        .map(UserView::from);
    Ok(HttpResponse::Ok().json(UsersView { users: page.items, next_cursor: page.next }))
}
