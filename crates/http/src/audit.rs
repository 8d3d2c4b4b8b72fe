//! Audit events for the reads and changes of people, and for readings of the feed.
//!
//! The type of a handler's `Caller` names the audit category, its extractor [watches](watch) the request, and the
//! middleware [`recorded`] wraps the resource of every path. So a handler cannot forget the audit event of a read. The
//! event of a read is stored after the handler ran and before the response is sent: if it cannot be stored, the client
//! does not get the data.
//!
//! A reading of the feed is recorded once, at its start, also for programs: its later pages call [`recorded_otherwise`].
//!
//! [`changing`] stores the audit event of a directory change or of a report in the transaction of the change: both are
//! committed or neither. A refused change changed nothing; its event is stored afterwards, as that of a read.

use actix_web::body::BoxBody;
use actix_web::dev::{ServiceRequest, ServiceResponse};
use actix_web::middleware::Next;
use actix_web::web::Data;
use actix_web::{Error as ActixError, HttpMessage, HttpRequest, ResponseError};
use serde_json::Value;
use trailkeeper_auth::audit::{AuditCategory, Ended, Request};
use trailkeeper_auth::{AuditContext, Principal, PrincipalKind};
use trailkeeper_domain::event::{Event, Target};
use trailkeeper_domain::id::UserId;
use trailkeeper_domain::ingest::EventSink as _;
use trailkeeper_domain::usecase::Change;
use trailkeeper_domain::{Error, Result};

use crate::api_error::{ApiError, ErrorFormat};
use crate::blocking;
use crate::request::query::Query;
use crate::request::{origin, path};
use crate::state::AppState;

/// The conditions that an operation declares.
#[derive(Clone, Copy)]
pub struct DeclaredConditions {
    /// The names of the query parameters.
    pub parameters: &'static [&'static str],
    /// Writes the value of the path's parameter with this name in its canonical form. A value that is not valid stays as
    /// it is.
    pub canonical: fn(name: &str, value: String) -> String,
}

/// The caller of a request, and the audit category of the data that it shows or changes. It is kept in the extensions
/// of the request.
#[derive(Clone)]
struct Watched {
    principal: Principal,
    category: Option<AuditCategory>,
    declared: DeclaredConditions,
}

/// The part of a request's body that its audit event records.
#[derive(Clone, Default)]
struct InBody {
    target: Option<Target>,
    conditions: Vec<(String, String)>,
    reported: Vec<(&'static str, Value)>,
}

/// Keeps the caller before the handler answers. Reads by programs create no audit event, unless the category includes
/// them.
pub fn watch(
    request: &HttpRequest,
    principal: &Principal,
    category: Option<AuditCategory>,
    declared: DeclaredConditions,
) {
    let is_person = matches!(principal.kind, PrincipalKind::Account(_));
    if is_person || category.is_some_and(AuditCategory::includes_programs) {
        request.extensions_mut().insert(Watched { principal: principal.clone(), category, declared });
    }
}

/// Keeps the conditions that a body contains. The audit event records those of the path in any case, and for a read
/// also those of the query.
pub fn asked_in_body(request: &HttpRequest, conditions: &[(&str, impl ToString)]) {
    let conditions = conditions.iter().map(|(name, value)| ((*name).to_owned(), value.to_string()));
    request.extensions_mut().insert(InBody { conditions: conditions.collect(), ..InBody::default() });
}

/// Keeps the small fields that a body reports, without lists, and the user that they are about if there is exactly one.
pub fn reported_in_body(request: &HttpRequest, user: Option<&UserId>, reported: Vec<(&'static str, Value)>) {
    let target = user.map(|id| Target { kind: Some("user".to_owned()), id: Some(id.to_string()), name: None });
    request.extensions_mut().insert(InBody { target, reported, ..InBody::default() });
}

/// Leaves out the audit event of this request, because another one records it: that of the use case, which stores one whether
/// it succeeds or fails, or that of the start of a reading of the feed. Without this call, one action would create two events.
pub fn recorded_otherwise(request: &HttpRequest) {
    request.extensions_mut().remove::<Watched>();
}

/// Runs a use case that changes data, on a blocking thread. If the caller is a person, the audit event is stored in the
/// same transaction. Handlers call it as `Caller::changing`.
pub async fn changing<T: Send + 'static>(
    request: &HttpRequest,
    state: &Data<AppState>,
    principal: &Principal,
    work: impl FnOnce(Change<'_>) -> Result<T> + Send + 'static,
) -> Result<T> {
    let watched = request.extensions().get::<Watched>().cloned();
    let event = watched.map(|watched| event_of(request, state, &watched, Ended::Answered)).transpose()?.flatten();
    let actor = principal.actor();
    let done = blocking::run(state, move |state| {
        #[expect(clippy::disallowed_methods, reason = "the one place where handlers get it from")]
        let change = Change::new(state.store(), state.clock(), state.entropy(), &actor, event.as_ref());
        work(change)
    })
    .await?;
    recorded_otherwise(request);
    Ok(done)
}

/// Runs the handler and stores the audit event of the request. If the event cannot be stored, the client gets that
/// error instead of the handler's answer.
pub async fn recorded<S: ErrorFormat>(
    request: ServiceRequest,
    next: Next<BoxBody>,
) -> std::result::Result<ServiceResponse, ActixError> {
    let response = next.call(request).await?;
    match record(&response).await {
        Ok(()) => Ok(response),
        Err(error) => {
            let refusal = ApiError::<S>::from(error).error_response();
            Ok(response.into_response(refusal))
        }
    }
}

async fn record(response: &ServiceResponse) -> Result<()> {
    let request = response.request();
    let Some(watched) = request.extensions_mut().remove::<Watched>() else { return Ok(()) };
    let status = response.status();
    let ended = match status.as_u16() {
        200..=299 => Ended::Answered,
        // Any other status means a wrong request or a fault of the server; it discloses nothing about stored data.
        status @ (403 | 404 | 409) => Ended::Refused { status },
        _ => return Ok(()),
    };
    if ended == Ended::Answered && watched.category.is_some_and(AuditCategory::is_change) {
        return Err(Error::internal("a handler that changes something answered without `Caller::changing`"));
    }
    let state = request.app_data::<Data<AppState>>().ok_or_else(|| Error::internal("a server without its state"))?;
    let Some(event) = event_of(request, state, &watched, ended)? else { return Ok(()) };
    let commit = state.services.ingest.submit(vec![event])?;
    match blocking::committed(state, commit).await?.as_slice() {
        [true] => Ok(()),
        _ => Err(Error::internal("the event of a request was not stored: its id is taken")),
    }
}

/// The audit event of a request that ended, or will end, as `ended` says.
fn event_of(request: &HttpRequest, state: &AppState, watched: &Watched, ended: Ended) -> Result<Option<Event>> {
    let Watched { principal, category, declared } = watched;
    let pattern = request.match_pattern().unwrap_or_default();
    let mut conditions = in_path(request, declared.canonical);
    let target = conditions.pop().map(|(name, id)| Target {
        kind: Some(if name == "id" { "event" } else { name.trim_end_matches("_id") }.to_owned()),
        id: Some(id),
        name: None,
    });
    // No change takes a parameter, and some contracts ignore unknown ones: an ignored parameter in the event would be a
    // false record.
    if !category.is_some_and(AuditCategory::is_change) {
        conditions.extend(Query::declared(request, declared.parameters).unwrap_or_default());
    }
    // Cloned, not removed: the event of a refused change is built a second time.
    let body = request.extensions().get::<InBody>().cloned().unwrap_or_default();
    conditions.extend(body.conditions);
    let asked = Request {
        operation: format!("{} {pattern}", request.method()),
        category: *category,
        target: target.or(body.target),
        conditions,
        reported: body.reported,
    };
    let Some(event) = asked.audit_event(principal, ended) else { return Ok(None) };
    let context = AuditContext { actor: principal.actor(), origin: origin::of(request, &state.settings) };
    event.event(&context, state.clock(), state.entropy()).map(Some)
}

/// The names and canonical values of the path's parameters, from the widest to the narrowest. The last one names the
/// subject of the request.
fn in_path(request: &HttpRequest, canonical: fn(&str, String) -> String) -> Vec<(String, String)> {
    let names = request.match_info().iter().map(|(name, _)| name);
    names.filter_map(|name| Some((name.to_owned(), canonical(name, path::text(request, name).ok()?)))).collect()
}

#[cfg(test)]
mod tests {
    use actix_web::HttpResponse;
    use actix_web::test::TestRequest;
    use futures_util::FutureExt;
    use trailkeeper_domain::account::Role;
    use trailkeeper_domain::id::{AccountId, CredentialId};
    use uuid::Uuid;

    use super::*;

    /// The result for a handler that answers 204 and has not called [`changing`].
    fn answered(kind: PrincipalKind, category: AuditCategory) -> Result<()> {
        let request = TestRequest::delete().to_http_request();
        let name = "jane@example.com".to_owned();
        let principal = Principal { kind, name, role: Role::Admin, tenant_id: None, session_id: None };
        let declared = DeclaredConditions { parameters: &[], canonical: |_, value| value };
        watch(&request, &principal, Some(category), declared);
        let response = ServiceResponse::new(request, HttpResponse::NoContent().finish());
        record(&response).now_or_never().unwrap()
    }

    #[test]
    fn a_change_by_a_person_that_is_not_told_is_not_answered() {
        for category in [AuditCategory::Directory, AuditCategory::Reports] {
            let outcome = answered(PrincipalKind::Account(AccountId(Uuid::nil())), category);
            assert!(matches!(outcome, Err(Error::Internal { .. })), "{outcome:?}");
            answered(PrincipalKind::Token(CredentialId(Uuid::nil())), category).unwrap();
        }
    }
}
