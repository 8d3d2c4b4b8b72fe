//! `POST /api/UserAccount/UserEvents`.

use actix_web::HttpResponse;
use actix_web::web::Data;
use serde::Serialize;
use serde_json::{Value, json};
use trailkeeper_domain::event::{EventFilter, EventKind, StoredEvent};
use trailkeeper_domain::json::JsonObject;
use trailkeeper_domain::{Error, Result};
use utoipa::ToSchema;

use super::error_responses::ErrorResponses;
use super::fields::{self, MAX_PAGE_NUMBER, MAX_ROWS};
use super::login_result::shown;
use super::values;
use crate::api_error::ApiResult;
use crate::blocking;
use crate::error_formats::Octopai;
use crate::extract::caller::{Caller, ReadAuditTrail};
use crate::operation::{Body, FromBody, operation};
use crate::state::AppState;

/// The default number of rows of a page.
const DEFAULT_ROWS: i64 = 50;

/// The requested page. Field names are matched without regard to case; numbers may be texts.
#[derive(ToSchema, Body)]
#[body(name = "an object with the fields of this operation", optional, any_case, ignores_unknown_fields)]
#[serde(rename_all = "PascalCase")]
pub struct UserEventsRequest {
    /// The number of the page, from 1, as a text or as an integer. Default: 1, the page with the newest events.
    #[schema(value_type = Option<values::PageNumber>, inline)]
    #[body(with = page_number)]
    page_number: i64,
    /// The number of rows of a page, from 1 to 1,000, as a text or as an integer; default: 50.
    #[schema(value_type = Option<values::RowsInPage>, inline)]
    #[body(with = rows_in_page)]
    rows_in_page: i64,
}

impl UserEventsRequest {
    fn sample() -> Value {
        json!({"PageNumber": "1", "RowsInPage": "50"})
    }
}

fn page_number(json: &mut JsonObject, name: &str) -> Result<i64> {
    fields::number(json, name, 1, MAX_PAGE_NUMBER)
}

fn rows_in_page(json: &mut JsonObject, name: &str) -> Result<i64> {
    fields::number(json, name, DEFAULT_ROWS, MAX_ROWS)
}

/// One event.
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct UserEvent {
    /// The type of the event: `LOGIN SUCCESS`, `LOGIN FAIL`, `PAGE LOAD`, …
    #[schema(pattern = "^[A-Z][A-Z0-9 ]{0,63}$")]
    r#type: String,
    /// The user's name; `UNKNOWN USER` for a login with a name that does not exist; null if the name is not known.
    #[schema(required)]
    user_name: Option<String>,
    /// The source address, IPv4 or IPv6; null if it is not known.
    #[schema(required)]
    source: Option<String>,
    /// The time of the event.
    #[schema(value_type = values::Instant, inline)]
    time: String,
}

impl From<StoredEvent> for UserEvent {
    fn from(stored: StoredEvent) -> Self {
        let event = stored.event;
        Self {
            r#type: type_of(&event.kind),
            user_name: event.user_name.or_else(|| event.user_id.map(|id| id.to_string())),
            source: event.source.map(|address| address.to_string()),
            time: shown(event.occurred_at),
        }
    }
}

impl UserEvent {
    fn sample() -> Self {
        Self {
            r#type: "LOGIN SUCCESS".to_owned(),
            user_name: Some("jane@example.com".to_owned()),
            source: Some("203.0.113.7".to_owned()),
            time: "2026-07-23T10:36:37.0355870Z".to_owned(),
        }
    }
}

/// An event's type in this contract's words: upper case, `_` as space.
fn type_of(kind: &EventKind) -> String {
    kind.as_str().to_ascii_uppercase().replace('_', " ")
}

/// User events
///
/// Returns all events, newest first: the events that applications sent, and the server's own events, such as logins to
/// it. The list leaves out read accesses: the server also records each read of this list, so the pages would never come
/// to an end. Only the role admin may use this operation. An admin that is scoped to a tenant sees only the events of
/// that tenant. A page past the end is empty. An empty body requests the first page.
#[operation(post, "/api/UserAccount/UserEvents", operation_id = "UserEvents", tag = "UserAccount",
    request_body(content = Option<UserEventsRequest>, example = json!(UserEventsRequest::sample())),
    responses(
        (status = 200, description = "The events of the page.", body = Vec<UserEvent>,
            example = json!([UserEvent::sample()])),
        ErrorResponses,
    ))]
pub async fn list_user_events(
    caller: Caller<ReadAuditTrail, Octopai>,
    FromBody(input): FromBody<UserEventsRequest>,
    state: Data<AppState>,
) -> ApiResult<Octopai> {
    let UserEventsRequest { page_number: page, rows_in_page: rows } = input;
    // Both are bounded so that this fits: fewer than 10^15 pages of at most 1,000 rows.
    let offset = u64::try_from((page - 1) * rows).map_err(Error::internal)?;
    let limit = usize::try_from(rows).map_err(Error::internal)?;
    caller.audit_conditions(&[("PageNumber", page), ("RowsInPage", rows)]);
    let filter = EventFilter { without_reads: true, ..EventFilter::within(caller.principal.visibility()) };
    let events =
        blocking::run(&state, move |state| state.store().reading(|tx| tx.events_at_offset(&filter, offset, limit)))
            .await?;
    Ok(HttpResponse::Ok().json(events.into_iter().map(UserEvent::from).collect::<Vec<_>>()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn types_are_in_this_contracts_words() {
        for (kind, expected) in [
            ("login_success", "LOGIN SUCCESS"),
            ("page_load", "PAGE LOAD"),
            ("userinfo", "USERINFO"),
            ("billing.invoice_paid2", "BILLING.INVOICE PAID2"),
        ] {
            assert_eq!(type_of(&EventKind::known(kind)), expected);
        }
    }
}
