//! `GET /v1/retention/rules/{rule_id}`.

use actix_web::HttpResponse;
use actix_web::web::Data;
use trailkeeper_domain::id::RetentionRuleId;

use crate::api_error::ApiResult;
use crate::blocking;
use crate::error_formats::Native;
use crate::extract::caller::{Administer, Caller};
use crate::native::retention_rules::view::RuleView;
use crate::native::schemas;
use crate::operation::{FromPath, PathParams, operation};
use crate::problems::{CommonProblems, RuleNotFound};
use crate::state::AppState;

/// The rule that a path names.
#[derive(PathParams)]
pub struct RulePath {
    /// The rule's id.
    #[param(schema = schemas::RetentionRuleId)]
    pub rule_id: RetentionRuleId,
}

/// Get a rule of retention.
#[operation(get, "/v1/retention/rules/{rule_id}", tag = "retention",
    responses((status = 200, description = "The rule.", body = RuleView), CommonProblems, RuleNotFound))]
pub async fn get_retention_rule(
    _: Caller<Administer, Native>,
    FromPath(path): FromPath<RulePath>,
    state: Data<AppState>,
) -> ApiResult<Native> {
    let rule = blocking::run(&state, move |state| state.access().retention_rule(path.rule_id)).await?;
    Ok(HttpResponse::Ok().json(RuleView::from(rule)))
}
