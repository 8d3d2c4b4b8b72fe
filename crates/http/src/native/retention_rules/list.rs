//! `GET /v1/retention/rules`.

use actix_web::HttpResponse;
use actix_web::web::Data;
use serde::Serialize;
use serde_json::{Value, json};
use utoipa::ToSchema;

use crate::api_error::ApiResult;
use crate::cursors::{List, NextCursor};
use crate::error_formats::Native;
use crate::extract::caller::{Administer, Caller};
use crate::native::paging::Paging;
use crate::native::retention_rules::view::RuleView;
use crate::native::schemas;
use crate::operation::{FromQuery, operation};
use crate::problems::CommonProblems;
use crate::state::AppState;

/// A page of rules of retention.
#[derive(Serialize, ToSchema)]
#[schema(example = RulesView::sample)]
pub struct RulesView {
    /// The rules, by id, which is the order of creation.
    #[schema(max_items = 1000)]
    rules: Vec<RuleView>,
    /// The cursor of the next page; null on the last page.
    #[schema(required, value_type = Option<schemas::RetentionRuleCursor>)]
    next_cursor: NextCursor,
}

impl RulesView {
    fn sample() -> Value {
        json!({"rules": [RuleView::sample()], "next_cursor": null})
    }
}

/// List the rules of retention in the order of creation.
///
/// Without rules, events are kept for ever.
#[operation(get, "/v1/retention/rules", tag = "retention",
    responses((status = 200, description = "A page of rules.", body = RulesView), CommonProblems))]
pub async fn list_retention_rules(
    caller: Caller<Administer, Native>,
    FromQuery(paging): FromQuery<Paging<schemas::RetentionRuleCursor>>,
    state: Data<AppState>,
) -> ApiResult<Native> {
    let page = paging
        .page(&state, List::RetentionRules, &caller.principal, |state, cursor, limit| {
            state.access().retention_rules(cursor, limit)
        })
        .await?
        .map(RuleView::from);
    Ok(HttpResponse::Ok().json(RulesView { rules: page.items, next_cursor: page.next }))
}
