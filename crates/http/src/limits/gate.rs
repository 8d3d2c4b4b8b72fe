//! Where requests are counted: on their way through the extractors.

use std::net::{IpAddr, Ipv6Addr};
use std::sync::PoisonError;

use actix_web::{HttpMessage, HttpRequest};
use trailkeeper_auth::{Principal, PrincipalKind};
use trailkeeper_domain::throttle::network_of;
use trailkeeper_domain::{Error, Result};

use super::group::Group;
use super::registry::RateLimitKey;
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
    decide(request, group, state.limits().count(group, RateLimitKey::Credential(id), state.clock().now()))
}

/// Counts a request of nobody in particular, by its source.
///
/// [`Error::Throttled`] when it is one too many.
pub fn admit_source(request: &HttpRequest, state: &AppState, group: Group) -> Result<()> {
    decide(request, group, state.limits().count(group, source_key(request, state), state.clock().now()))
}

/// A credential as it was presented.
pub enum Presented<'a> {
    /// What stays the same from one request of its holder to the next: that it held is noted.
    Kept(&'a str),
    /// An access token. That we signed it can be told without the database, also when nobody has seen it yet: who logs
    /// in beside a guesser has one. So nothing need be noted, and people do not push programs out of the notes.
    Signed(&'a str),
}

/// A credential that may not hold.
pub struct AuthAttempt<'a> {
    request: &'a HttpRequest,
    state: &'a AppState,
    /// What is to be noted.
    kept: Option<String>,
}

impl<'a> AuthAttempt<'a> {
    /// To be made before a credential is looked up.
    ///
    /// [`Error::Throttled`] when too many from this source did not hold, and this one may be a guess too.
    pub fn begin(request: &'a HttpRequest, state: &'a AppState, presented: &Presented<'_>) -> Result<Self> {
        let now = state.clock().now();
        let limits = state.limits();
        let is_good = || match presented {
            Presented::Kept(credential) => limits.held_recently(credential, now),
            Presented::Signed(token) => state.access().has_signed(token),
        };
        if let Some(verdict) = limits.look(Group::Refused, source_key(request, state), now)
            && verdict.refused
            && !is_good()
        {
            decide(request, Group::Refused, Some(verdict))?;
        }
        let kept = match presented {
            Presented::Kept(credential) => Some((*credential).to_owned()),
            Presented::Signed(_) => None,
        };
        Ok(Self { request, state, kept })
    }

    /// Counts it when it did not hold, and remembers it when it did.
    pub fn end(self, outcome: Result<Principal>) -> Result<Principal> {
        let (limits, now) = (self.state.limits(), self.state.clock().now());
        match &outcome {
            Err(Error::Unauthenticated(_)) => {
                let verdict = limits.count(Group::Refused, source_key(self.request, self.state), now);
                // The answer is that it does not hold; who goes on is refused at the next one.
                if let Some(verdict) = verdict {
                    self.request.extensions_mut().insert(verdict);
                }
            }
            Ok(_) if limits.settings.of(Group::Refused).is_some() => {
                if let Some(kept) = self.kept.filter(|kept| !limits.held_recently(kept, now)) {
                    limits.recent_credentials.write().unwrap_or_else(PoisonError::into_inner).insert(&kept, now);
                }
            }
            Ok(_) | Err(_) => {}
        }
        outcome
    }
}

fn decide(request: &HttpRequest, group: Group, verdict: Option<Verdict>) -> Result<()> {
    let Some(verdict) = verdict else { return Ok(()) };
    // For the headers of the response, whichever it will be.
    request.extensions_mut().insert(verdict);
    if verdict.refused { Err(too_many(group, verdict)) } else { Ok(()) }
}

/// Where no address is known, all such requests count as one source.
fn source_key(request: &HttpRequest, state: &AppState) -> RateLimitKey {
    let source = origin::source(request, &state.settings).unwrap_or(IpAddr::V6(Ipv6Addr::UNSPECIFIED));
    RateLimitKey::Source(network_of(source))
}
