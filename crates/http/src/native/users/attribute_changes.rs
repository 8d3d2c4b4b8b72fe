//! `GET /v1/users/{user_id}/attribute-changes`.

use actix_web::web::Data;
use actix_web::{HttpRequest, HttpResponse};
use serde::Serialize;
use serde_json::{Value, json};
use trailkeeper_domain::time::Timestamp;
use trailkeeper_domain::usecase;
use trailkeeper_domain::user::AttributeChange;
use utoipa::ToSchema;

use crate::api_error::ApiResult;
use crate::cursors::{List, NextCursor};
use crate::error_formats::Native;
use crate::extract::caller::{Caller, ReadUsers};
use crate::extract::path;
use crate::extract::query::Query;
use crate::native::paging_by_query::Paging;
use crate::native::problems::{CommonProblems, NotFound};
use crate::native::schemas;
use crate::state::AppState;

/// A page of changes.
#[derive(Serialize, ToSchema)]
#[schema(example = AttributeChangesView::sample)]
pub struct AttributeChangesView {
    /// Newest first.
    #[schema(max_items = 1000)]
    attribute_changes: Vec<AttributeChangeView>,
    /// Where the list goes on; null on the last page.
    #[schema(required, value_type = Option<schemas::ChangeCursor>)]
    next_cursor: NextCursor,
}

/// One change of one attribute.
#[derive(Serialize, ToSchema)]
pub struct AttributeChangeView {
    /// When.
    #[schema(value_type = schemas::Instant)]
    changed_at: Timestamp,
    /// By whom: the account's e-mail or the credential's name.
    changed_by: String,
    /// Which attribute; `email` is one here.
    name: String,
    /// The value before; null where there was none.
    #[schema(required)]
    old_value: Option<String>,
    /// The value since; null where it was cleared.
    #[schema(required)]
    new_value: Option<String>,
}

impl From<AttributeChange> for AttributeChangeView {
    fn from(change: AttributeChange) -> Self {
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
            changed_by: "admin@example.com".to_owned(),
            name: "department".to_owned(),
            old_value: Some("sales".to_owned()),
            new_value: Some("marketing".to_owned()),
        };
        json!(Self { attribute_changes: vec![change], next_cursor: NextCursor::default() })
    }
}

/// List the changes of a user's e-mail and attributes, newest first.
///
/// Who changed what, when, from which value to which. A record's first values are no changes.
#[utoipa::path(get, path = "/v1/users/{user_id}/attribute-changes", tag = "users", security(("Bearer" = [])),
    params(
        ("user_id" = schemas::UserId, Path, description = "The user's id."),
        ("cursor" = Option<schemas::ChangeCursor>, Query, description = "`next_cursor` of the page before, unchanged."),
        ("limit" = Option<i32>, Query, description = "How many at most; 100 where it is not sent.", minimum = 1, maximum = 1000),
    ),
    responses((status = 200, description = "A page of changes.", body = AttributeChangesView), CommonProblems, NotFound))]
pub async fn list_attribute_changes(
    caller: Caller<ReadUsers, Native>,
    request: HttpRequest,
    state: Data<AppState>,
) -> ApiResult<Native> {
    let query = Query::of(&request)?.only(&["cursor", "limit"])?;
    let paging = Paging::of(&query, List::AttributeChanges, &caller.principal)?;
    let id = path::user_id(&request)?;
    let visibility = caller.principal.visibility();
    let page = paging
        .page(&state, move |state, cursor, limit| {
            usecase::list_attribute_changes(state.store(), visibility, &id, cursor, limit)
        })
        .await?
        .map(AttributeChangeView::from);
    Ok(HttpResponse::Ok().json(AttributeChangesView { attribute_changes: page.items, next_cursor: page.next }))
}
