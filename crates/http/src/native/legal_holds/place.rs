//! `POST /v1/legal-holds`.

use actix_web::HttpResponse;
use actix_web::http::header;
use actix_web::web::Data;
use serde_json::{Value, json};
use trailkeeper_domain::id::{TenantId, UserId};
use trailkeeper_domain::retention::HoldDraft;
use utoipa::ToSchema;

use crate::api_error::ApiResult;
use crate::blocking;
use crate::error_formats::Native;
use crate::extract::caller::{Administer, Caller};
use crate::native::legal_holds::view::HoldView;
use crate::native::schemas;
use crate::operation::{Body, FromBody, operation};
use crate::problems::{BodyProblems, CommonProblems, TooManyHolds};
use crate::state::AppState;

/// The hold to place. It names a tenant, a user, or both. Null is the same as leaving a field out.
#[derive(ToSchema, Body)]
#[serde(deny_unknown_fields)]
#[body(name = "a legal hold")]
#[schema(example = HoldInput::sample)]
pub struct HoldInput {
    /// The name of the case. Several holds may belong to one case.
    #[schema(value_type = schemas::CaseName)]
    case: String,
    /// The reason, for those who list holds.
    #[schema(value_type = schemas::HoldReason)]
    reason: String,
    /// The tenant of the events; absent: any tenant.
    #[schema(value_type = Option<schemas::TenantId>)]
    tenant_id: Option<TenantId>,
    /// The user of the events; absent: any user.
    #[schema(value_type = Option<schemas::UserId>)]
    user_id: Option<UserId>,
}

impl HoldInput {
    fn sample() -> Value {
        json!({"case": "2026-17", "reason": "court order", "tenant_id": null, "user_id": "u-4711"})
    }
}

/// Place a legal hold.
///
/// Nothing removes the events of its tenant, of its user, or of its user in its tenant, until it is lifted. What rules of
/// retention have removed before does not come back.
#[operation(post, "/v1/legal-holds", tag = "retention", body = "The hold.",
    responses(
        (status = 201, description = "The hold is placed.", body = HoldView,
            headers(("Location" = String, description = "The address of the hold."))),
        CommonProblems, BodyProblems, TooManyHolds,
    ))]
pub async fn place_legal_hold(
    caller: Caller<Administer, Native>,
    FromBody(input): FromBody<HoldInput>,
    state: Data<AppState>,
) -> ApiResult<Native> {
    let context = caller.audit_context(&state);
    let hold = blocking::run(&state, move |state| {
        let HoldInput { case, reason, tenant_id, user_id } = input;
        state.access().retention(&context).place_hold(&HoldDraft { case, reason, tenant_id, user_id })
    })
    .await?;
    let location = format!("/v1/legal-holds/{}", hold.id);
    Ok(HttpResponse::Created().insert_header((header::LOCATION, location)).json(HoldView::from(hold)))
}
