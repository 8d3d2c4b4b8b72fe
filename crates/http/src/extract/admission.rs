//! Rate limits, applied to requests by the extractors.

use std::net::{IpAddr, Ipv6Addr};

use actix_web::web::Data;
use actix_web::{HttpMessage, HttpRequest};
use trailkeeper_auth::{Principal, PrincipalKind};
use trailkeeper_domain::throttle::network_of;
use trailkeeper_domain::{Error, Result};

use crate::blocking;
use crate::limits::{self, Group, LimitStatus, RateLimitKey};
use crate::request::origin;
use crate::state::AppState;

/// The most exchanges for which a request waits. Others of its key may be counted before it after each of them.
const MOST_EXCHANGES: usize = 50;

/// Counts a request with a valid credential. [`Error::Throttled`] if the credential is over its limit.
pub async fn admit_principal(
    request: &HttpRequest,
    state: &Data<AppState>,
    group: Group,
    principal: &Principal,
) -> Result<()> {
    let id = match principal.kind {
        PrincipalKind::Account(id) => id.0,
        PrincipalKind::Token(id) | PrincipalKind::SigningKey(id) => id.0,
    };
    enforce(request, group, count(state, group, RateLimitKey::Credential(id)).await)
}

/// Counts a request without a credential. [`Error::Throttled`] if the source is over its limit.
pub async fn admit_source(request: &HttpRequest, state: &Data<AppState>, group: Group) -> Result<()> {
    enforce(request, group, count(state, group, source_key(request, state)).await)
}

/// A credential as a request presents it.
pub enum PresentedCredential<'a> {
    /// A text that is the same in all requests of its holder. The server remembers it once it was valid.
    Lasting(&'a str),
    /// An access token. The server checks its own signature in the token without the database, even if it never saw the
    /// token before. So access tokens need not be remembered, and cannot push lasting credentials out of memory.
    AccessToken(&'a str),
}

/// The authentication of one request, whose credential may be invalid.
pub struct AuthAttempt<'a> {
    request: &'a HttpRequest,
    state: &'a Data<AppState>,
    /// The text to remember if the credential is valid; `None` for an access token.
    lasting: Option<String>,
}

impl<'a> AuthAttempt<'a> {
    /// Starts the authentication. Must be called before the credential is looked up.
    ///
    /// [`Error::Throttled`] if the source has sent too many invalid credentials and this one is not known to be valid.
    pub fn begin(
        request: &'a HttpRequest,
        state: &'a Data<AppState>,
        credential: &PresentedCredential<'_>,
    ) -> Result<Self> {
        let now = state.clock().now();
        let limits = state.limits();
        let is_known = || match credential {
            PresentedCredential::Lasting(credential) => limits.was_recently_valid(credential, now),
            PresentedCredential::AccessToken(token) => state.access().has_signed(token),
        };
        if let Some(status) = limits.peek(Group::Refused, source_key(request, state), now)
            && status.exceeded
            && !is_known()
        {
            enforce(request, Group::Refused, Some(status))?;
        }
        let lasting = match credential {
            PresentedCredential::Lasting(credential) => Some((*credential).to_owned()),
            PresentedCredential::AccessToken(_) => None,
        };
        Ok(Self { request, state, lasting })
    }

    /// Counts an invalid credential. A valid one is not proved yet, so it is not remembered.
    pub async fn check<T>(&self, outcome: Result<T>) -> Result<T> {
        if let Err(Error::Unauthenticated(_)) = &outcome {
            let status = count(self.state, Group::Refused, source_key(self.request, self.state)).await;
            // Over the limit, the client still gets a 401; only its next attempt gets a 429.
            if let Some(status) = status {
                self.request.extensions_mut().insert(status);
            }
        }
        outcome
    }

    /// Counts an invalid credential, and remembers a valid one.
    pub async fn end(self, outcome: Result<Principal>) -> Result<Principal> {
        let principal = self.check(outcome).await?;
        if let Some(lasting) = &self.lasting {
            self.state.limits().remember_valid(lasting, self.state.clock().now());
        }
        Ok(principal)
    }
}

/// Counts a request. It waits while this server exchanges counts with the others.
async fn count(state: &Data<AppState>, group: Group, key: RateLimitKey) -> Option<LimitStatus> {
    for _ in 0..MOST_EXCHANGES {
        if let Ok(status) = state.limits().try_count(group, key, state.clock().now()) {
            return status;
        }
        let exchange = move |state: &AppState| state.limits().share_key(state.store(), group, key, state.clock().now());
        // After a failure, this server limits by its own counts. The thread that shares counts logs it.
        drop(blocking::run(state, exchange).await);
    }
    state.limits().count(group, key, state.clock().now())
}

fn enforce(request: &HttpRequest, group: Group, status: Option<LimitStatus>) -> Result<()> {
    let Some(status) = status else { return Ok(()) };
    // The headers of every response, successful or not, show this status.
    request.extensions_mut().insert(status);
    if status.exceeded { Err(limits::too_many_requests(group, status)) } else { Ok(()) }
}

/// The rate-limit key of the network of the client's address. Requests with an unknown address count as one source.
fn source_key(request: &HttpRequest, state: &AppState) -> RateLimitKey {
    let source = origin::source(request, &state.settings).unwrap_or(IpAddr::V6(Ipv6Addr::UNSPECIFIED));
    RateLimitKey::Source(network_of(source))
}
