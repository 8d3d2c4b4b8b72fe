//! `GET /v1/users/{user_id}/attribute-changes`.

use actix_web::HttpResponse;
use actix_web::web::Data;
use serde::Serialize;
use serde_json::{Value, json};
use trailkeeper_domain::time::Timestamp;
use trailkeeper_domain::usecase::{self, VisibleChange};
use utoipa::ToSchema;

use super::get::UserPath;
use crate::api_error::ApiResult;
use crate::cursors::{List, NextCursor};
use crate::error_formats::Native;
use crate::extract::caller::{Caller, ReadUsers};
use crate::native::paging::Paging;
use crate::native::schemas;
use crate::operation::{FromPath, FromQuery, operation};
use crate::problems::{CommonProblems, UserNotFound};
use crate::state::AppState;

/// A page of changes.
#[derive(Serialize, ToSchema)]
#[schema(example = AttributeChangesView::sample)]
pub struct AttributeChangesView {
    /// The changes, newest first.
    #[schema(max_items = 1000)]
    attribute_changes: Vec<AttributeChangeView>,
    /// The cursor of the next page; null on the last page.
    #[schema(required, value_type = Option<schemas::ChangeCursor>)]
    next_cursor: NextCursor,
}

/// One change of one attribute.
#[derive(Serialize, ToSchema)]
pub struct AttributeChangeView {
    /// The time of the change.
    #[schema(value_type = schemas::Instant)]
    changed_at: Timestamp,
    /// The author of the change: the account's e-mail or the credential's name. Null for a credential that is scoped to a
    /// tenant: the author belongs to no tenant.
    #[schema(required)]
    changed_by: Option<String>,
    /// The name of the attribute; `email` counts as an attribute here.
    name: String,
    /// The previous value; null if there was none before.
    #[schema(required)]
    old_value: Option<String>,
    /// The new value; null if the attribute was cleared.
    #[schema(required)]
    new_value: Option<String>,
}

impl From<VisibleChange> for AttributeChangeView {
    fn from(change: VisibleChange) -> Self {
        Self {
            changed_at: change.changed_at,
            changed_by: change.changed_by,
            name: change.name,
            old_value: change.old_value,
            new_value: change.new_value,
        }
    }
}

impl AttributeChangesView {
    fn sample() -> Value {
        let change = AttributeChangeView {
            changed_at: Timestamp::from_timestamp(1_769_860_800, 0).unwrap_or_default(),
            changed_by: Some("admin@example.com".to_owned()),
            name: "department".to_owned(),
            old_value: Some("sales".to_owned()),
            new_value: Some("marketing".to_owned()),
        };
        json!(Self { attribute_changes: vec![change], next_cursor: NextCursor::default() })
    }
}

/// List the changes of a user's e-mail and attributes, newest first.
///
/// Each change has its author, its time, the attribute, and the old and the new value. A record's first values are not
/// changes. A credential that is scoped to a tenant sees the changes since the user became a member of the tenant, without
/// their authors.
#[operation(get, "/v1/users/{user_id}/attribute-changes", tag = "users",
    responses((status = 200, description = "A page of changes.", body = AttributeChangesView), CommonProblems, UserNotFound))]
pub async fn list_attribute_changes(
    caller: Caller<ReadUsers, Native>,
    FromPath(path): FromPath<UserPath>,
    FromQuery(paging): FromQuery<Paging<schemas::ChangeCursor>>,
    state: Data<AppState>,
) -> ApiResult<Native> {
    let visibility = caller.principal.visibility();
    let page = paging
        .page(&state, List::AttributeChanges, &caller.principal, move |state, cursor, limit| {
            usecase::list_attribute_changes(state.store(), visibility, &path.user_id, cursor, limit)
        })
        .await?
        .map(AttributeChangeView::from);
    Ok(HttpResponse::Ok().json(AttributeChangesView { attribute_changes: page.items, next_cursor: page.next }))
}
