//! `GET /v1/users`.

use actix_web::web::Data;
use actix_web::{HttpRequest, HttpResponse};
use serde::Serialize;
use serde_json::{Value, json};
use trailkeeper_auth::Principal;
use trailkeeper_domain::id::TenantId;
use trailkeeper_domain::user::{self, PoolId, UserFilter};
use trailkeeper_domain::{Result, usecase};
use utoipa::ToSchema;

use crate::api_error::ApiResult;
use crate::cursors::{List, NextCursor};
use crate::error_formats::Native;
use crate::extract::caller::{Caller, ReadUsers};
use crate::extract::query::Query;
use crate::native::paging_by_query::Paging;
use crate::native::problems::{CommonProblems, NotFound};
use crate::native::schemas;
use crate::native::users::view::UserView;
use crate::state::AppState;

/// A page of users.
#[derive(Serialize, ToSchema)]
#[schema(example = UsersView::sample)]
pub struct UsersView {
    /// By id, in the order of its UTF-8 bytes.
    #[schema(max_items = 1000)]
    users: Vec<UserView>,
    /// Where the list goes on; null on the last page.
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
/// Every filter that is sent must hold. A credential that is confined to a tenant sees its members alone.
#[utoipa::path(get, path = "/v1/users", tag = "users", security(("Bearer" = [])),
    params(
        ("email" = Option<schemas::Email>, Query, description = "Only with this e-mail, in any case."),
        ("region" = Option<schemas::Region>, Query, description = "Only of this region."),
        ("user_pool_id" = Option<schemas::UserPoolId>, Query, description = "Only of this user pool."),
        ("tenant_id" = Option<schemas::TenantId>, Query, description = "Only members of this tenant."),
        ("cursor" = Option<schemas::UserCursor>, Query, description = "`next_cursor` of the page before, unchanged."),
        ("limit" = Option<i32>, Query, description = "How many at most; 100 where it is not sent.", minimum = 1, maximum = 1000),
    ),
    responses((status = 200, description = "A page of users.", body = UsersView), CommonProblems, NotFound))]
pub async fn list_users(
    caller: Caller<ReadUsers, Native>,
    request: HttpRequest,
    state: Data<AppState>,
) -> ApiResult<Native> {
    let known = ["email", "region", "user_pool_id", "tenant_id", "cursor", "limit"];
    let query = Query::of(&request)?.only(&known)?;
    let filter = filter_of(&query, &caller.principal)?;
    let paging = Paging::of(&query, List::Users, &caller.principal)?;
    let page = paging
        .page(&state, move |state, cursor, limit| usecase::list_users(state.store(), &filter, cursor, limit))
        .await?
        .map(UserView::from);
    Ok(HttpResponse::Ok().json(UsersView { users: page.items, next_cursor: page.next }))
}

fn filter_of(query: &Query, caller: &Principal) -> Result<UserFilter> {
    let email = query.optional("email")?;
    email.map_or(Ok(()), |email| user::checked_email("email", email))?;
    let tenant = query.optional("tenant_id")?.map(|id| TenantId::parse("tenant_id", id)).transpose()?;
    // A pool in another region is no contradiction here: both conditions hold for nobody.
    let region = user::checked_region("region", query.optional("region")?.map(str::to_owned), None)?;
    Ok(UserFilter {
        folded_email: email.map(user::folded_email),
        region,
        user_pool_id: query.optional("user_pool_id")?.map(|pool| PoolId::parse("user_pool_id", pool)).transpose()?,
        visibility: caller.visibility().narrow(tenant)?,
    })
}
