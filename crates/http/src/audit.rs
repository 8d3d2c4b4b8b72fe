//! Reads and changes by people leave a trace.
//!
//! The type of a handler's `Caller` says what it shows or changes, its extractor [watches](watch) the request, and the
//! resource of every path is wrapped in [`recorded`]. So a read cannot be forgotten: it is told after it was made and
//! before it is answered, and what cannot be recorded is not shown.
//!
//! A change of the directory and a report are told in their own transaction, by [`changing`]: either both are there or neither. What
//! was refused changed nothing, and is told afterwards as reads are.

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

/// Who asks, and what they will be shown or change. Lies in the extensions of the request.
struct Watched {
    principal: Principal,
    category: Option<AuditCategory>,
    parameters: &'static [&'static str],
}

/// What the trail tells of a body.
#[derive(Clone, Default)]
struct InBody {
    target: Option<Target>,
    conditions: Vec<(String, String)>,
    reported: Vec<(&'static str, Value)>,
}

/// Notes who asks, before anything is answered. Programs leave no trace of reads.
pub fn watch(
    request: &HttpRequest,
    principal: &Principal,
    category: Option<AuditCategory>,
    parameters: &'static [&'static str],
) {
    if let PrincipalKind::Account(_) = principal.kind {
        request.extensions_mut().insert(Watched { principal: principal.clone(), category, parameters });
    }
}

/// Notes what was asked for in a body. What stands in the path is noted anyway, and of a read what stands in the query.
pub fn asked_in_body(request: &HttpRequest, conditions: &[(&str, impl ToString)]) {
    let conditions = conditions.iter().map(|(name, value)| ((*name).to_owned(), value.to_string()));
    request.extensions_mut().insert(InBody { conditions: conditions.collect(), ..InBody::default() });
}

/// Notes what a body reports, about whom where it is one user: what was read of it, and no list.
pub fn reported_in_body(request: &HttpRequest, user: Option<&UserId>, reported: Vec<(&'static str, Value)>) {
    let target = user.map(|id| Target { kind: Some("user".to_owned()), id: Some(id.to_string()), name: None });
    request.extensions_mut().insert(InBody { target, reported, ..InBody::default() });
}

/// Says that what is being done tells of itself, however it ends: one act, one event.
pub fn recorded_by_use_case(request: &HttpRequest) {
    request.extensions_mut().remove::<Watched>();
}

/// Runs a use case that changes what `category` says, on a blocking thread; the event that tells of it where a person
/// asks lies in the same transaction. Handlers call it as `Caller::changing`.
pub async fn changing<T: Send + 'static>(
    request: &HttpRequest,
    state: &Data<AppState>,
    principal: &Principal,
    category: Option<AuditCategory>,
    work: impl FnOnce(Change<'_>) -> Result<T> + Send + 'static,
) -> Result<T> {
    let event = event_of(request, state, principal, (category, &[]), Ended::Answered)?;
    let actor = principal.actor();
    let done = blocking::run(state, move |state| {
        #[expect(clippy::disallowed_methods, reason = "the one place where handlers get it from")]
        let change = Change::new(state.store(), state.clock(), state.entropy(), &actor, event.as_ref());
        work(change)
    })
    .await?;
    recorded_by_use_case(request);
    Ok(done)
}

/// Lets the handler answer, and tells the trail of it. Where that cannot be stored, the answer is that instead.
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
        // Anything else tells that the request was wrong or the server is, and nothing of what is stored.
        status @ (403 | 404 | 409) => Ended::Refused { status },
        _ => return Ok(()),
    };
    let Watched { principal, category, parameters } = watched;
    if ended == Ended::Answered && category.is_some_and(AuditCategory::is_change) {
        return Err(Error::internal("a handler that changes something answered without `Caller::changing`"));
    }
    let state = request.app_data::<Data<AppState>>().ok_or_else(|| Error::internal("a server without its state"))?;
    let Some(event) = event_of(request, state, &principal, (category, parameters), ended)? else { return Ok(()) };
    match state.services.ingest.submit(vec![event])?.await?.as_slice() {
        [true] => Ok(()),
        _ => Err(Error::internal("the event of a request was not stored: its id is taken")),
    }
}

/// What the trail tells of a request that ended, or will end, like this.
fn event_of(
    request: &HttpRequest,
    state: &AppState,
    principal: &Principal,
    (category, parameters): (Option<AuditCategory>, &[&str]),
    ended: Ended,
) -> Result<Option<Event>> {
    let pattern = request.match_pattern().unwrap_or_default();
    let mut conditions = in_path(request);
    let target = conditions.pop().map(|(name, id)| Target {
        kind: Some(if name == "id" { "event" } else { name.trim_end_matches("_id") }.to_owned()),
        id: Some(id),
        name: None,
    });
    // No change takes a parameter, and contracts let unknown ones pass: what was not heeded must not lay a false trail.
    if !category.is_some_and(AuditCategory::is_change) {
        let sent = Query::of(request).map(Query::into_pairs).unwrap_or_default();
        conditions.extend(sent.into_iter().filter(|(name, _)| parameters.contains(&name.as_str())));
    }
    // Left there: a change that is refused is told a second time.
    let body = request.extensions().get::<InBody>().cloned().unwrap_or_default();
    conditions.extend(body.conditions);
    let asked = Request {
        operation: format!("{} {pattern}", request.method()),
        category,
        target: target.or(body.target),
        conditions,
        reported: body.reported,
    };
    let Some(event) = asked.audit_event(principal, ended) else { return Ok(None) };
    let context = AuditContext { actor: principal.actor(), origin: origin::of(request, &state.settings) };
    event.event(&context, state.clock(), state.entropy()).map(Some)
}

/// What the path names, from the wide to the narrow: the last is what the request is about.
fn in_path(request: &HttpRequest) -> Vec<(String, String)> {
    let names = request.match_info().iter().map(|(name, _)| name);
    names.filter_map(|name| Some((name.to_owned(), path::text(request, name).ok()?))).collect()
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

    /// How a handler fares that answers 204 and has not called [`changing`].
    fn answered(kind: PrincipalKind, category: AuditCategory) -> Result<()> {
        let request = TestRequest::delete().to_http_request();
        let name = "jane@example.com".to_owned();
        let principal = Principal { kind, name, role: Role::Admin, tenant_id: None, session_id: None };
        watch(&request, &principal, Some(category), &[]);
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
