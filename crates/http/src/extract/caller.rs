//! Who asks. The permission stands in the handler's signature: without it, it does not compile.

use std::future::Future;
use std::marker::PhantomData;
use std::pin::Pin;

use actix_web::dev::Payload;
use actix_web::http::header;
use actix_web::web::{Bytes, Data};
use actix_web::{FromRequest, HttpRequest, web};
use trailkeeper_auth::{Permission, Principal, SignedRequest};
use trailkeeper_domain::{Error, Result};

use crate::blocking;
use crate::extract::body;
use crate::refusal::{Refusal, Shape};
use crate::settings::MAX_SIGNED_BODY_BYTES;
use crate::shapes::Saasus;
use crate::state::AppState;

/// A permission as a type.
pub trait Need: 'static {
    /// The permission.
    const PERMISSION: Permission;
}

macro_rules! needs {
    ($($(#[$doc:meta])* $name:ident),+ $(,)?) => {
        $(
            $(#[$doc])*
            pub struct $name;
            impl Need for $name {
                const PERMISSION: Permission = Permission::$name;
            }
        )+
    };
}

needs! {
    /// Record events.
    WriteEvents,
    /// Read events.
    ReadEvents,
    /// Read analytic answers.
    ReadAnalytics,
    /// Report analytic facts.
    WriteAnalytics,
    /// Read tenants, users and memberships.
    ReadDirectory,
    /// Change tenants, users and memberships.
    WriteDirectory,
    /// Read the whole trail, the server's own included.
    ReadTrail,
}

type Extraction<T, S> = Pin<Box<dyn Future<Output = Result<T, Refusal<S>>>>>;

/// A caller with a bearer credential (access token or API token) that has the permission `N`.
///
/// It is the only extractor of a handler that can refuse: what else the request says is read inside
/// the handler, so that a stranger learns nothing but 401.
pub struct Caller<N, S> {
    /// Who asks.
    pub principal: Principal,
    marker: PhantomData<(N, S)>,
}

impl<N: Need, S: Shape> FromRequest for Caller<N, S> {
    type Error = Refusal<S>;
    type Future = Extraction<Self, S>;

    fn from_request(request: &HttpRequest, _: &mut Payload) -> Self::Future {
        let request = request.clone();
        Box::pin(async move {
            let principal = match credential(&request)? {
                Credential::Bearer(token) => by_bearer(&request, token).await?,
                Credential::Signature(_) => {
                    return Err(Error::unauthenticated(
                        "signatures open the SaaSus operations only; send a Bearer token",
                    )
                    .into());
                }
            };
            principal.require(N::PERMISSION)?;
            Ok(Self { principal, marker: PhantomData })
        })
    }
}

/// A caller of a SaaSus operation: a bearer credential, or a signature over the whole request. It
/// holds the body, because the signature covers it.
pub struct SaasusCaller<N> {
    /// Who asks.
    pub principal: Principal,
    /// The body as it was sent.
    pub body: Bytes,
    marker: PhantomData<N>,
}

impl<N: Need> FromRequest for SaasusCaller<N> {
    type Error = Refusal<Saasus>;
    type Future = Extraction<Self, Saasus>;

    fn from_request(request: &HttpRequest, payload: &mut Payload) -> Self::Future {
        let request = request.clone();
        let payload = web::Payload::from_request(&request, payload).into_inner();
        Box::pin(async move {
            let payload = payload.map_err(Error::internal)?;
            let (principal, body) = match credential(&request)? {
                Credential::Bearer(token) => {
                    let principal = by_bearer(&request, token).await?;
                    // Before the body is read: who may not send one need not know its limit.
                    principal.require(N::PERMISSION)?;
                    (principal, body::read(&request, payload, MAX_SIGNED_BODY_BYTES).await?)
                }
                Credential::Signature(header) => {
                    let body = body::read(&request, payload, MAX_SIGNED_BODY_BYTES).await?;
                    let principal = by_signature(&request, header, body.clone()).await?;
                    principal.require(N::PERMISSION)?;
                    (principal, body)
                }
            };
            Ok(Self { principal, body, marker: PhantomData })
        })
    }
}

enum Credential {
    Bearer(String),
    Signature(String),
}

fn credential(request: &HttpRequest) -> Result<Credential> {
    let missing = "send 'Authorization: Bearer <token>' with an access token or an API token";
    let value = request
        .headers()
        .get(header::AUTHORIZATION)
        .ok_or_else(|| Error::unauthenticated(format!("there is no credential; {missing}")))?;
    let (scheme, rest) = value.to_str().ok().and_then(|value| value.split_once(' ')).unwrap_or_default();
    let rest = rest.trim().to_owned();
    if scheme.eq_ignore_ascii_case("Bearer") {
        Ok(Credential::Bearer(rest))
    } else if scheme.eq_ignore_ascii_case("SAASUSSIGV1") {
        Ok(Credential::Signature(rest))
    } else {
        Err(Error::unauthenticated(format!("the Authorization header is not understood; {missing}")))
    }
}

async fn by_bearer(request: &HttpRequest, token: String) -> Result<Principal> {
    let state = state(request)?;
    if let Some(principal) = state.access().recall_bearer(&token) {
        return Ok(principal);
    }
    blocking::run(&state, move |state| state.access().authenticate_bearer(&token)).await
}

async fn by_signature(request: &HttpRequest, header: String, body: Bytes) -> Result<Principal> {
    let method = request.method().to_string();
    let host = request.headers().get(header::HOST).and_then(|host| host.to_str().ok()).unwrap_or_default().to_owned();
    let path_and_query = request.uri().path_and_query().map(ToString::to_string).unwrap_or_default();
    blocking::run(&state(request)?, move |state| {
        let signed = SignedRequest { method: &method, host: &host, path_and_query: &path_and_query, body: &body };
        state.access().authenticate_signature(&header, &signed)
    })
    .await
}

fn state(request: &HttpRequest) -> Result<Data<AppState>> {
    request
        .app_data::<Data<AppState>>()
        .cloned()
        .ok_or_else(|| Error::internal("the server was built without its state"))
}
