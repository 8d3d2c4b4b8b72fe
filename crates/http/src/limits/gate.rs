//! Where requests are counted: on their way through the extractors.

use std::net::{IpAddr, Ipv6Addr};

use actix_web::{HttpMessage, HttpRequest};
use trailkeeper_auth::{Principal, PrincipalKind};
use trailkeeper_domain::throttle::network_of;
use trailkeeper_domain::{Error, Result};

use super::group::Group;
use super::registry::Who;
use super::too_many;
use super::window::Verdict;
use crate::extract::origin;
use crate::state::AppState;

/// Counts a request of a caller whose credential held.
///
/// [`Error::Throttled`] when it is one too many.
pub fn admit(request: &HttpRequest, state: &AppState, group: Group, principal: &Principal) -> Result<()> {
    let id = match principal.kind {
        PrincipalKind::Account(id) => id.0,
        PrincipalKind::Token(id) | PrincipalKind::SigningKey(id) => id.0,
    };
    judged(request, group, state.limits().count(group, Who::Credential(id), state.clock().now()))
}

/// Counts a request of nobody in particular, by its source.
///
/// [`Error::Throttled`] when it is one too many.
pub fn admit_source(request: &HttpRequest, state: &AppState, group: Group) -> Result<()> {
    judged(request, group, state.limits().count(group, who(request, state), state.clock().now()))
}

/// A credential that may not hold.
pub struct Guess<'a> {
    request: &'a HttpRequest,
    state: &'a AppState,
    credential: String,
}

impl<'a> Guess<'a> {
    /// To be made before a credential is looked up. `credential` is what stays the same from one request of its
    /// holder to the next.
    ///
    /// [`Error::Throttled`] when too many from this source did not hold, and this one has not either.
    pub fn begin(request: &'a HttpRequest, state: &'a AppState, credential: &str) -> Result<Self> {
        let now = state.clock().now();
        let limits = state.limits();
        if let Some(verdict) = limits.look(Group::Refused, who(request, state), now)
            && verdict.refused
            && !limits.held.read().unwrap_or_else(std::sync::PoisonError::into_inner).contains(credential, now)
        {
            judged(request, Group::Refused, Some(verdict))?;
        }
        Ok(Self { request, state, credential: credential.to_owned() })
    }

    /// Counts it when it did not hold, and remembers it when it did.
    pub fn end(self, outcome: Result<Principal>) -> Result<Principal> {
        let (limits, now) = (self.state.limits(), self.state.clock().now());
        match &outcome {
            Err(Error::Unauthenticated(_)) => {
                let verdict = limits.count(Group::Refused, who(self.request, self.state), now);
                // The answer is that it does not hold; who goes on is refused at the next one.
                if let Some(verdict) = verdict {
                    self.request.extensions_mut().insert(verdict);
                }
            }
            Ok(_) if limits.settings.of(Group::Refused).is_some() => {
                let held = &limits.held;
                if !held.read().unwrap_or_else(std::sync::PoisonError::into_inner).contains(&self.credential, now) {
                    held.write().unwrap_or_else(std::sync::PoisonError::into_inner).insert(&self.credential, now);
                }
            }
            Ok(_) | Err(_) => {}
        }
        outcome
    }
}

fn judged(request: &HttpRequest, group: Group, verdict: Option<Verdict>) -> Result<()> {
    let Some(verdict) = verdict else { return Ok(()) };
    // For the headers of the response, whichever it will be.
    request.extensions_mut().insert(verdict);
    if verdict.refused { Err(too_many(group, verdict)) } else { Ok(()) }
}

/// Where no address is known, all such requests count as one source.
fn who(request: &HttpRequest, state: &AppState) -> Who {
    let source = origin::source(request, &state.settings).unwrap_or(IpAddr::V6(Ipv6Addr::UNSPECIFIED));
    Who::Source(network_of(source))
}
