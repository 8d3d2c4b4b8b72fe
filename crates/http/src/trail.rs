//! Reads and changes by people leave a trace: written after the act and before the answer.
//!
//! Nothing here is called by handlers. The type of their `Caller` says what they show or change, its extractor
//! [watches](watch) the request, and the resource of every path is wrapped in [`recorded`]. So a read cannot be
//! forgotten, and what cannot be recorded is not shown.

use actix_web::body::BoxBody;
use actix_web::dev::{ServiceRequest, ServiceResponse};
use actix_web::middleware::Next;
use actix_web::web::Data;
use actix_web::{Error as ActixError, HttpMessage, HttpRequest, ResponseError};
use trailkeeper_auth::reads::{Ended, Request, Traced};
use trailkeeper_auth::{Act, Principal, PrincipalKind};
use trailkeeper_domain::event::{Event, Target};
use trailkeeper_domain::{Error, Result};

use crate::extract::query::Query;
use crate::extract::{origin, path};
use crate::ingest;
use crate::refusal::{Refusal, Shape};
use crate::state::AppState;

/// Who asks, and what they will be shown or change. Lies in the extensions of the request.
struct Watched {
    principal: Principal,
    traced: Option<Traced>,
}

/// Conditions that stand in the body.
struct InBody(Vec<(String, String)>);

/// Notes who asks, before anything is answered. Programs leave no trace of reads.
pub fn watch(request: &HttpRequest, principal: &Principal, traced: Option<Traced>) {
    if let PrincipalKind::Account(_) = principal.kind {
        request.extensions_mut().insert(Watched { principal: principal.clone(), traced });
    }
}

/// Notes what was asked for in a body. What stands in the path and the query is noted anyway.
pub fn asked_in_body(request: &HttpRequest, conditions: &[(&str, i64)]) {
    let conditions = conditions.iter().map(|(name, value)| ((*name).to_owned(), value.to_string()));
    request.extensions_mut().insert(InBody(conditions.collect()));
}

/// Says that what is being done tells of itself, however it ends: one act, one event.
pub fn told_by_itself(request: &HttpRequest) {
    request.extensions_mut().remove::<Watched>();
}

/// Lets the handler answer, and tells the trail of it. Where that cannot be stored, the answer is that instead.
pub async fn recorded<S: Shape>(
    request: ServiceRequest,
    next: Next<BoxBody>,
) -> std::result::Result<ServiceResponse, ActixError> {
    let response = next.call(request).await?;
    match record(&response).await {
        Ok(()) => Ok(response),
        Err(error) => {
            let refusal = Refusal::<S>::from(error).error_response();
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
    let state = request.app_data::<Data<AppState>>().ok_or_else(|| Error::internal("a server without its state"))?;
    let Some(event) = event_of(request, state, &watched, ended)? else { return Ok(()) };
    let stored = ingest::store(&state.services.ingest, vec![event]).await.map_err(|error| match watched.traced {
        // A read that leaves no trace is not shown, and nothing happened. A change did happen.
        Some(Traced::Directory) if ended == Ended::Answered => Error::internal(format!(
            "what was asked is done, but the event that tells of it could not be stored: {error}"
        )),
        _ => error,
    })?;
    match stored.as_slice() {
        [true] => Ok(()),
        _ => Err(Error::internal("the event of a request was not stored: its id is taken")),
    }
}

fn event_of(request: &HttpRequest, state: &AppState, watched: &Watched, ended: Ended) -> Result<Option<Event>> {
    let pattern = request.match_pattern().unwrap_or_default();
    let mut conditions = in_path(request);
    let target = conditions.pop().map(|(name, id)| Target {
        kind: Some(if name == "id" { "event" } else { name.trim_end_matches("_id") }.to_owned()),
        id: Some(id),
        name: None,
    });
    conditions.extend(Query::of(request).map(Query::into_pairs).unwrap_or_default());
    if let Some(InBody(more)) = request.extensions_mut().remove() {
        conditions.extend(more);
    }
    let asked =
        Request { operation: format!("{} {pattern}", request.method()), traced: watched.traced, target, conditions };
    let Some(deed) = asked.deed(&watched.principal, ended) else { return Ok(None) };
    let act = Act { actor: watched.principal.actor(), origin: origin::of(request, &state.settings) };
    deed.event(&act, state.clock(), state.entropy()).map(Some)
}

/// What the path names, from the wide to the narrow: the last is what the request is about.
fn in_path(request: &HttpRequest) -> Vec<(String, String)> {
    let names = request.match_info().iter().map(|(name, _)| name);
    names.filter_map(|name| Some((name.to_owned(), path::text(request, name).ok()?))).collect()
}
